# misconception: you used the logits as probabilities
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    q = logits.clamp(1e-6, 1 - 1e-6)
    divergence = torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p) - p * torch.log(q) - (1 - p) * torch.log(1 - q)
    return divergence.flatten(1).sum(dim=1).mean()
