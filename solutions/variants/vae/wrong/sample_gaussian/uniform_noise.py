# misconception: you drew the noise from a uniform distribution instead of a standard normal
def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.rand_like(m)
    return m + torch.sqrt(v) * noise
