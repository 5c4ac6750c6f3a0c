# alternative: the likelihood written with softplus
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = (F.softplus(logits) - x * logits).sum(-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
