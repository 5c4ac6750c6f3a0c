# misconception: you returned one term for each outcome instead of their sum
def kl_divergence(p, q):
    return torch.where(p > 0, p * (p.log() - q.log()), torch.zeros_like(p))
