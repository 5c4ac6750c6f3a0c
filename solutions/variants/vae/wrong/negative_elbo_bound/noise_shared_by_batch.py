# misconception: you used the same noise for every image of the batch
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    if noise is None:
        noise = torch.randn(1, m.shape[1], dtype=m.dtype).expand_as(m)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
