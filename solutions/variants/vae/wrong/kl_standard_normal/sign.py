# misconception: you returned minus the KL divergence
def kl_standard_normal(m, v):
    return -0.5 * (m**2 + v - 1 - torch.log(v)).sum(dim=-1)
