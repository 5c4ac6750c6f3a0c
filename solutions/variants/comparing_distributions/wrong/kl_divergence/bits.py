# misconception: you used the logarithm to base 2; the divergence must be in nats
def kl_divergence(p, q):
    happens = p > 0
    return (p[happens] * (p[happens].log2() - q[happens].log2())).sum()
