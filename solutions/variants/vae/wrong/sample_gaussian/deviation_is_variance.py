# misconception: you used the variance v as the standard deviation
def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.randn_like(m)
    return m + v * noise
