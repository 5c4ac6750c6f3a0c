# misconception: you computed KL(N(0, I) || N(m, v)), the divergence in the other direction
def kl_standard_normal(m, v):
    return 0.5 * ((m**2 + 1) / v - 1 + torch.log(v)).sum(dim=-1)
