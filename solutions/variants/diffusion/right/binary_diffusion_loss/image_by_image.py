# alternative: image by image, the entropy with clamped logarithms
def binary_diffusion_loss(logits, yt, y0, t, delta):
    losses = []
    for i in range(len(logits)):
        p = posterior_plus_one(yt[i : i + 1], y0[i : i + 1], t[i : i + 1], delta)
        c = F.binary_cross_entropy_with_logits(logits[i : i + 1], p.to(logits.dtype), reduction="sum")
        losses.append(c + (p * p.clamp(min=1e-30).log() + (1 - p) * (1 - p).clamp(min=1e-30).log()).sum())
    return torch.stack(losses).mean()
