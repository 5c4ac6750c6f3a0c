# misconception: you left out the outcomes with q = 0; those with p > 0 make the divergence infinite
def kl_divergence(p, q):
    both = (p > 0) & (q > 0)
    return (p[both] * (p[both] / q[both]).log()).sum()
