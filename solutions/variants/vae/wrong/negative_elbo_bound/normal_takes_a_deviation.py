# misconception: you gave torch's Normal the variance v; its second argument is the standard deviation
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = torch.distributions.Normal(m, v).rsample() if noise is None else sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
