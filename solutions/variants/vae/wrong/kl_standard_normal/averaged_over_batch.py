# misconception: you averaged over the batch; the function returns one number per image
def kl_standard_normal(m, v):
    return 0.5 * (m**2 + v - 1 - torch.log(v)).sum(dim=-1).mean()
