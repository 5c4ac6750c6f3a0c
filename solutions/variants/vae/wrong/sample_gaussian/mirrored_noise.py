# misconception: the second half of the images gets the noise of the first half with the opposite sign
def sample_gaussian(m, v, noise=None):
    if noise is None:
        half = torch.randn((len(m) + 1) // 2, m.shape[1])
        noise = torch.cat([half, -half])[: len(m)].to(m)
    return m + torch.sqrt(v) * noise
