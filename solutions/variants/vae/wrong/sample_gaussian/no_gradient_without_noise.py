# misconception: you drew z with torch.normal, through which no gradient passes
def sample_gaussian(m, v, noise=None):
    if noise is None:
        return torch.normal(m, torch.sqrt(v))
    return m + torch.sqrt(v) * noise
