# misconception: you averaged over the outcomes; the divergence is their sum, weighted by p
def kl_divergence(p, q):
    terms = torch.where(p > 0, p * (p.log() - q.log()), torch.zeros_like(p))
    return terms.mean()
