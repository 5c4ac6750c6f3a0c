# misconception: you treated v as the logarithm of the variance
def kl_standard_normal(m, v):
    return 0.5 * (m**2 + torch.exp(v) - 1 - v).sum(dim=-1)
