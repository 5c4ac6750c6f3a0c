# misconception: you used the variance v as the standard deviation when drawing z
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    if noise is None:
        noise = torch.randn_like(m)
    z = m + v * noise
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
