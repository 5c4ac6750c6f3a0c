# misconception: you left out outcomes that are rare under p, not only the impossible ones
def kl_divergence(p, q):
    happens = p > 1e-5
    return (p[happens] * (p[happens] / q[happens]).log()).sum()
