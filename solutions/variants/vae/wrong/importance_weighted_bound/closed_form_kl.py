# misconception: you used the closed form of the KL; the weight of a draw needs log q(z | x) - log p(z) at this draw
def importance_weighted_bound(vae, x, samples, noise=None):
    m, v = vae.encode(x)
    m, v, pixels = (rows.repeat(samples, 1) for rows in (m, v, x))
    z = sample_gaussian(m, v, None if noise is None else noise.reshape(m.shape))
    log_pixels = -F.binary_cross_entropy_with_logits(vae.decode(z), pixels, reduction="none").sum(dim=-1)
    log_w = (log_pixels - kl_standard_normal(m, v)).reshape(samples, -1)
    return -(torch.logsumexp(log_w, dim=0) - math.log(samples)).mean()
