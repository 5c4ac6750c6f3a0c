# misconception: you took the absolute value of each term; terms with q > p are negative
def kl_divergence(p, q):
    happens = p > 0
    return (p[happens] * (p[happens].log() - q[happens].log())).abs().sum()
