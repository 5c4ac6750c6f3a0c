# misconception: you detached the standard deviation, so that the encoder never learns v
def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.randn_like(m)
    return m + torch.sqrt(v).detach() * noise
