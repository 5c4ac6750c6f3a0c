# alternative: the pixels are converted to float32 first
def negative_elbo_bound(vae, x, noise=None):
    pixels = x.to(torch.float32)
    m, v = vae.encode(pixels)
    logits = vae.decode(sample_gaussian(m, v, noise))
    rec = F.softplus(logits) - pixels * logits
    rec, kl = rec.sum(dim=1).mean(), kl_standard_normal(m, v).mean()
    return NegativeElbo(nelbo=rec + kl, kl=kl, rec=rec)
