# alternative: image by image, all draws of one image as a batch
def importance_weighted_bound(vae, x, samples, noise=None):
    m, v = vae.encode(x)
    bounds = []
    for b in range(len(x)):
        mb, vb = m[b].repeat(samples, 1), v[b].repeat(samples, 1)
        z = sample_gaussian(mb, vb, noise=None if noise is None else noise[:, b])
        pixels = F.binary_cross_entropy_with_logits(vae.decode(z), x[b].repeat(samples, 1), reduction="none").sum(1)
        kl = 0.5 * (z**2 - (z - mb) ** 2 / vb - vb.log()).sum(1)
        bounds.append(-torch.logsumexp(-pixels - kl, 0) + math.log(samples))
    return torch.stack(bounds).mean()
