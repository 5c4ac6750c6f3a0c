# misconception: you multiplied a mean over pixels by 784; the number of pixels is x.shape[1]
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = 784 * F.binary_cross_entropy_with_logits(logits, x, reduction="none").mean()
    return NegativeElbo(kl + rec, kl, rec)
