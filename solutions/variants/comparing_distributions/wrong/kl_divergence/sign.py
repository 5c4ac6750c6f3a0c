# misconception: you returned minus the divergence
def kl_divergence(p, q):
    terms = torch.where(p > 0, p * (q.log() - p.log()), torch.zeros_like(p))
    return terms.sum()
