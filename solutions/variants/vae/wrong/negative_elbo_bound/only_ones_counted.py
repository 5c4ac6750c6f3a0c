# misconception: you counted only the pixels that are 1; pixels that are 0 count, too
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = (x * F.softplus(-logits)).sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
