# alternative: torch.distributions knows the divergence of two categorical distributions
def kl_divergence(p, q):
    one, other = torch.distributions.Categorical(probs=p), torch.distributions.Categorical(probs=q)
    return torch.distributions.kl_divergence(one, other)
