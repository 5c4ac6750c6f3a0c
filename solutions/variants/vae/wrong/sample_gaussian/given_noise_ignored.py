# misconception: you drew fresh noise although `noise` was given
def sample_gaussian(m, v, noise=None):
    return m + torch.sqrt(v) * torch.randn_like(m)
