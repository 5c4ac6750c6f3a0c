# misconception: you averaged over the batch before the logarithm; each image has a bound of its own
def importance_weighted_bound(vae, x, samples, noise=None):
    m, v = vae.encode(x)
    m, v, pixels = (rows.repeat(samples, 1) for rows in (m, v, x))
    z = sample_gaussian(m, v, None if noise is None else noise.reshape(m.shape))
    log_pixels = -F.binary_cross_entropy_with_logits(vae.decode(z), pixels, reduction="none").sum(dim=-1)
    log_prior = -0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=-1)
    log_posterior = -0.5 * ((z - m) ** 2 / v + torch.log(2 * math.pi * v)).sum(dim=-1)
    log_w = (log_pixels + log_prior - log_posterior).reshape(samples, -1)
    return math.log(log_w.numel()) - torch.logsumexp(log_w.reshape(-1), dim=0)
