# misconception: you used the absolute value of m instead of its square
def kl_standard_normal(m, v):
    return 0.5 * (m.abs() + v - 1 - torch.log(v)).sum(dim=-1)
