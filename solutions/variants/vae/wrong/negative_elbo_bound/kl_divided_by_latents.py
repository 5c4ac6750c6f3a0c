# misconception: you averaged the KL over the latents; it is a sum over the latents
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean() / m.shape[1]
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
