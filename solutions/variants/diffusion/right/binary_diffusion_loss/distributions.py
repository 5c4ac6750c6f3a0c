# alternative: torch.distributions computes the divergence of two coins
def binary_diffusion_loss(logits, yt, y0, t, delta):
    p = posterior_plus_one(yt, y0, t, delta)
    coins = torch.distributions.Bernoulli(probs=p), torch.distributions.Bernoulli(logits=logits)
    entropy = coins[0].entropy()
    crossed = F.softplus(-logits) * p + F.softplus(logits) * (1 - p)
    return (crossed - torch.where((p == 0) | (p == 1), torch.zeros_like(entropy), entropy)).flatten(1).sum(1).mean()
