# misconception: you used the loss for probabilities, which stops at 100 nats per pixel; compute from the logits
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    z = sample_gaussian(m, v, noise)
    logits = vae.decode(z)
    kl = kl_standard_normal(m, v).mean()
    rec = F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="none").sum(dim=-1).mean()
    return NegativeElbo(kl + rec, kl, rec)
