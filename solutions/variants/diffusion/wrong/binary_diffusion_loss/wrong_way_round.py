# misconception: you computed KL(Q || P); P, the target, comes first
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    p = p.clamp(1e-6, 1 - 1e-6)
    q = torch.sigmoid(logits)
    divergence = q * (F.logsigmoid(logits) - torch.log(p)) + (1 - q) * (F.logsigmoid(-logits) - torch.log(1 - p))
    return divergence.flatten(1).sum(dim=1).mean()
