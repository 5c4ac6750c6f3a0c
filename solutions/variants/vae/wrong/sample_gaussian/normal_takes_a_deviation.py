# misconception: you gave torch's Normal the variance v; its second argument is the standard deviation
def sample_gaussian(m, v, noise=None):
    if noise is None:
        return torch.distributions.Normal(m, v).rsample()
    return m + torch.sqrt(v) * noise
