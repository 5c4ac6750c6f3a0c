# misconception: you drew one number per image and used it for all its latents
def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.randn(m.shape[0], 1, dtype=m.dtype, device=m.device)
    return m + torch.sqrt(v) * noise
