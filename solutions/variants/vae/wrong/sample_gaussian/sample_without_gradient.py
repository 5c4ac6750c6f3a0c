# misconception: you drew z with .sample(), which cuts the gradient; .rsample() lets it through
def sample_gaussian(m, v, noise=None):
    if noise is None:
        return torch.distributions.Normal(m, torch.sqrt(v)).sample()
    return m + torch.sqrt(v) * noise
