# misconception: without noise you draw noise in the shape of x; it has the shape of m, one number for each latent
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, torch.randn_like(x) if noise is None else noise)
    kl = kl_standard_normal(m, v).mean()
    rec = F.binary_cross_entropy_with_logits(vae.decode(z), x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
