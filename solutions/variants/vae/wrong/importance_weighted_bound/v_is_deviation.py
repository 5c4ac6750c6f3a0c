# misconception: you took v for the deviation of q(z | x) in its density; it is the variance
def importance_weighted_bound(vae, x, samples, noise=None):
    m, v = vae.encode(x)
    m, v, pixels = (rows.repeat(samples, 1) for rows in (m, v, x))
    z = sample_gaussian(m, v, None if noise is None else noise.reshape(m.shape))
    log_pixels = -F.binary_cross_entropy_with_logits(vae.decode(z), pixels, reduction="none").sum(dim=-1)
    log_prior = -0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=-1)
    log_posterior = torch.distributions.Normal(m, v).log_prob(z).sum(dim=-1)
    log_w = (log_pixels + log_prior - log_posterior).reshape(samples, -1)
    return -(torch.logsumexp(log_w, dim=0) - math.log(samples)).mean()
