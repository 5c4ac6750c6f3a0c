# misconception: you averaged over the latents instead of summing
def kl_standard_normal(m, v):
    return 0.5 * (m**2 + v - 1 - torch.log(v)).mean(dim=-1)
