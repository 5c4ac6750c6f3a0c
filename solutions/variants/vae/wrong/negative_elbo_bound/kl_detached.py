# misconception: you detached the KL term, so that no gradient pulls q(z | x) towards the prior
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean().detach()
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
