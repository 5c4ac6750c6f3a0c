# misconception: you clamped probabilities away from 0 and 1, which makes the loss of confident pixels wrong
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    p = torch.sigmoid(logits).clamp(1e-6, 1 - 1e-6)
    rec = -(x * p.log() + (1 - x) * (1 - p).log()).sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
