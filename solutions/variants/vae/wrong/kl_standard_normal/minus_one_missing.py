# misconception: you left out the -1, so that the KL between the prior and itself is not 0
def kl_standard_normal(m, v):
    return 0.5 * (m**2 + v - torch.log(v)).sum(dim=-1)
