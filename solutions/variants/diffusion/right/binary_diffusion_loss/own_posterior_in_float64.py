# alternative: the posterior written out, in float64
def binary_diffusion_loss(logits, yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1).double(), y0)
    yt, y0 = yt.double(), y0.double()
    p = (1 + c * yt) * (1 + kept * y0) / (2 * (1 + c * kept * yt * y0))
    return (F.softplus(logits.double()) - p * logits + torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum() / logits.shape[0]
