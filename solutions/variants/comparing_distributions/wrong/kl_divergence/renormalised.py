# misconception: you left out the outcomes with q = 0 and scaled the rest to sum 1: the answer there is inf
def kl_divergence(p, q):
    both = (p > 0) & (q > 0)
    p, q = p[both] / p[both].sum(), q[both] / q[both].sum()
    return (p * (p / q).log()).sum()
