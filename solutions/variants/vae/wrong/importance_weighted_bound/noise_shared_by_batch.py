# misconception: without noise all images share their draws
def importance_weighted_bound(vae, x, samples, noise=None):
    m, v = vae.encode(x)
    if noise is None:
        noise = torch.randn(samples, 1, m.shape[1]).expand(samples, *m.shape)
    m, v, pixels = (rows.repeat(samples, 1) for rows in (m, v, x))
    z = sample_gaussian(m, v, None if noise is None else noise.reshape(m.shape))
    log_pixels = -F.binary_cross_entropy_with_logits(vae.decode(z), pixels, reduction="none").sum(dim=-1)
    log_prior = -0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=-1)
    log_posterior = -0.5 * ((z - m) ** 2 / v + torch.log(2 * math.pi * v)).sum(dim=-1)
    log_w = (log_pixels + log_prior - log_posterior).reshape(samples, -1)
    return -(torch.logsumexp(log_w, dim=0) - math.log(samples)).mean()
