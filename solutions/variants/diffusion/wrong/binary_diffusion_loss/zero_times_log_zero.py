# misconception: at t = 1 your 0 log 0 is NaN; it must be 0
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    divergence = F.binary_cross_entropy_with_logits(logits, p, reduction="none")
    divergence = divergence + p * torch.log(p) + (1 - p) * torch.log(1 - p)
    return divergence.flatten(1).sum(dim=1).mean()
