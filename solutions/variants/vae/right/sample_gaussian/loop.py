# alternative: one image at a time, with the deviation as exp(log(v) / 2)
def sample_gaussian(m, v, noise=None):
    rows = []
    for i in range(m.shape[0]):
        e = torch.randn(m.shape[1], dtype=m.dtype) if noise is None else noise[i]
        rows.append(m[i] + torch.exp(0.5 * torch.log(v[i])) * e)
    return torch.stack(rows)
