# alternative: torch.distributions draws and rescales
def sample_gaussian(m, v, noise=None):
    if noise is None:
        return torch.distributions.Normal(m, v.sqrt()).rsample()
    return torch.addcmul(m, v.sqrt(), noise)
