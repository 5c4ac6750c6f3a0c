# misconception: you set the NaN of 0 log 0 to 0 after adding up, so the cross-entropy of that pixel is missing
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    divergence = p * (p.log() - F.logsigmoid(logits)) + (1 - p) * ((1 - p).log() - F.logsigmoid(-logits))
    return torch.nan_to_num(divergence).flatten(1).sum(dim=1).mean()
