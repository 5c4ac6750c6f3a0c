# misconception: you counted only the term of +1; the KL also has the term of -1
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    divergence = torch.xlogy(p, p) - p * F.logsigmoid(logits)
    return divergence.flatten(1).sum(dim=1).mean()
