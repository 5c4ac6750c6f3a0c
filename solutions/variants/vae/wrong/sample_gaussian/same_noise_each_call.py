# misconception: you seeded the generator inside the function, so that each call draws the same noise
def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.randn(m.shape, generator=torch.Generator().manual_seed(0)).to(m)
    return m + torch.sqrt(v) * noise
