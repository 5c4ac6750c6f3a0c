# misconception: this is the cross-entropy; the entropy of P is missing
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    return F.binary_cross_entropy_with_logits(logits, p, reduction="none").flatten(1).sum(dim=1).mean()
