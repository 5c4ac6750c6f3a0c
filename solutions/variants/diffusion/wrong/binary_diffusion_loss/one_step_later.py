# misconception: your target belongs to another step: P is for Y_{t-1} at this t, not at t + 1
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t + 1, delta)
    divergence = F.binary_cross_entropy_with_logits(logits, p, reduction="none")
    divergence = divergence + torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)
    return divergence.flatten(1).sum(dim=1).mean()
