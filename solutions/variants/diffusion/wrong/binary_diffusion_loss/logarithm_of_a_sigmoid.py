# misconception: you took the logarithm of a rounded sigmoid; compute from the logits
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    q = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    divergence = torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p) - torch.xlogy(p, q) - torch.xlogy(1 - p, 1 - q)
    return divergence.flatten(1).sum(dim=1).mean()
