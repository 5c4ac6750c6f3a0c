# misconception: you treated v as a standard deviation
def kl_standard_normal(m, v):
    return 0.5 * (m**2 + v**2 - 1 - 2 * torch.log(v)).sum(dim=-1)
