# misconception: you multiplied 0 by log 0, which is nan; outcomes with p = 0 cost nothing
def kl_divergence(p, q):
    return (p * (p.log() - q.log())).sum()
