# misconception: you compared with the clean image; the target is the posterior of Y_{t-1}
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = (y0 + 1) / 2 + 0 * per_image(t, y0) * yt * delta
    return F.binary_cross_entropy_with_logits(logits, p, reduction="none").flatten(1).sum(dim=1).mean()
