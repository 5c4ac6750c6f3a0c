# misconception: you returned one number per latent instead of their sum per image
def kl_standard_normal(m, v):
    return 0.5 * (m**2 + v - 1 - torch.log(v))
