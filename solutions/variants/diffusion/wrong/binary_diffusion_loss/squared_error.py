# misconception: you used the squared error of the probabilities
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    return ((torch.sigmoid(logits) - p) ** 2).flatten(1).sum(dim=1).mean()
