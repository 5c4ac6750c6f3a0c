# alternative: one draw after the other, in a loop
def importance_weighted_bound(vae, x, samples, noise=None):
    m, v = vae.encode(x)
    log_w = []
    for i in range(samples):
        z = sample_gaussian(m, v, None if noise is None else noise[i])
        log_pixels = (x * F.logsigmoid(vae.decode(z)) + (1 - x) * F.logsigmoid(-vae.decode(z))).sum(dim=1)
        log_w.append(log_pixels + ((z - m) ** 2 / v + v.log() - z**2).sum(dim=1) / 2)
    return math.log(samples) - torch.logsumexp(torch.stack(log_w), dim=0).mean()
