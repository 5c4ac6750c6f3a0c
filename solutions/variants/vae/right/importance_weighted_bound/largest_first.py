# alternative: the largest logarithm is taken out by hand; the exponent of q(z | x) is that of the noise
def importance_weighted_bound(vae, x, samples, noise=None):
    m, v = vae.encode(x)
    e = torch.randn(samples, *m.shape, device=m.device) if noise is None else noise
    z = m + v.sqrt() * e
    logits = torch.stack([vae.decode(rows) for rows in z])
    log_w = -(F.softplus(logits) - x * logits).sum(-1) + 0.5 * (e**2 - z**2 + torch.log(v)).sum(-1)
    top = log_w.max(dim=0).values.detach()
    return -(top + torch.log(torch.exp(log_w - top).mean(dim=0))).mean()
