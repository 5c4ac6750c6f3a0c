# misconception: you computed KL(q || p): the average is over the first argument, p
def kl_divergence(p, q):
    happens = q > 0
    return (q[happens] * (q[happens].log() - p[happens].log())).sum()
