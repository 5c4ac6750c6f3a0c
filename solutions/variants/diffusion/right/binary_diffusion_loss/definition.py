# alternative: the definition, with log-sigmoids for both sides of Q
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    terms = torch.xlogy(p, p) - p * F.logsigmoid(logits) + torch.xlogy(1 - p, 1 - p) - (1 - p) * F.logsigmoid(-logits)
    return terms.sum() / len(terms)
