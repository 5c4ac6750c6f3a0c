# alternative: computed in float64, given back in the data type of m
def sample_gaussian(m, v, noise=None):
    e = torch.randn(m.shape, dtype=torch.float64, device=m.device) if noise is None else noise.double()
    return (m.double() + v.double() ** 0.5 * e).to(m.dtype)
