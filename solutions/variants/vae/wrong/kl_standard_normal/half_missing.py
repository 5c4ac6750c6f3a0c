# misconception: you left out the factor 1/2
def kl_standard_normal(m, v):
    return (m**2 + v - 1 - torch.log(v)).sum(dim=-1)
