# misconception: you drew one noise vector and used it for every image of the batch
def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.randn(m.shape[-1], dtype=m.dtype, device=m.device)
    return m + torch.sqrt(v) * noise
