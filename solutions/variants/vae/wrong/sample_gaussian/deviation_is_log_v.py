# misconception: you used log v as the standard deviation
def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.randn_like(m)
    return m + torch.log(v) * noise
