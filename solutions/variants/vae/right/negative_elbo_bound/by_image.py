# alternative: image by image, in a loop
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise=noise)
    logits = vae.decode(z)
    kls, recs = [], []
    for i in range(x.shape[0]):
        kls.append(kl_standard_normal(m[i : i + 1], v[i : i + 1])[0])
        recs.append(F.binary_cross_entropy_with_logits(logits[i], x[i], reduction="sum"))
    kl, rec = sum(kls) / len(kls), sum(recs) / len(recs)
    return NegativeElbo(nelbo=kl + rec, kl=kl, rec=rec)
