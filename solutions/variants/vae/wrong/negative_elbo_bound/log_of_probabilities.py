# misconception: you took the logarithm of a sigmoid, which is minus infinity for confident pixels
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    p = torch.sigmoid(logits)
    rec = -(x * p.log() + (1 - x) * (1 - p).log()).sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
