# misconception: you treated v as the logarithm of the variance
def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.randn_like(m)
    return m + torch.exp(0.5 * v) * noise
