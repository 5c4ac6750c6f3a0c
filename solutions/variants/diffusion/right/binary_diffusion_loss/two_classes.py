# alternative: F.kl_div over two classes
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    q = torch.stack([F.logsigmoid(logits), F.logsigmoid(-logits)])
    return F.kl_div(q, torch.stack([p, 1 - p]), reduction="sum") / len(p)
