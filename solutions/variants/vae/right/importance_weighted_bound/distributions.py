# alternative: densities of torch.distributions, with all draws at once
def importance_weighted_bound(vae, x, samples, noise=None):
    m, v = vae.encode(x)
    q, p = torch.distributions.Normal(m, v.sqrt()), torch.distributions.Normal(torch.zeros_like(m), torch.ones_like(m))
    z = q.rsample((samples,)) if noise is None else m + v.sqrt() * noise
    logits = vae.decode(z.flatten(0, 1)).reshape(samples, *x.shape)
    log_pixels = torch.distributions.Bernoulli(logits=logits).log_prob(x).sum(-1)
    log_w = log_pixels + p.log_prob(z).sum(-1) - q.log_prob(z).sum(-1)
    return -(log_w.logsumexp(0) - math.log(samples)).mean()
