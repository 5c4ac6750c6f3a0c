# misconception: you detached the KL, so no gradient flows through it
def kl_standard_normal(m, v):
    return 0.5 * (m**2 + v - 1 - torch.log(v)).sum(dim=-1).detach()
