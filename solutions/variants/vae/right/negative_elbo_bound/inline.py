# alternative: without the two helpers, with torch.distributions
def negative_elbo_bound(vae, x, noise=None):
    m, v = vae.encode(x)
    q = torch.distributions.Normal(m, v.sqrt())
    z = q.rsample() if noise is None else m + q.stddev * noise
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    rec = -torch.distributions.Bernoulli(logits=vae.decode(z)).log_prob(x).sum(1).mean()
    return NegativeElbo(kl + rec, kl, rec)
