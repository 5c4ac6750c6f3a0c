# misconception: you used no noise at all when none was given
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    if noise is None:
        noise = torch.zeros_like(m)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
