# misconception: you drew z with torch.normal, which cuts the gradient
def sample_gaussian(m, v, noise=None):
    if noise is None:
        return torch.normal(m, torch.sqrt(v))
    return m + torch.sqrt(v) * noise
