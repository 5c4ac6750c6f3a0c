# misconception: you summed both terms over the batch instead of averaging
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).sum()
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum()
    return NegativeElbo(kl + rec, kl, rec)
