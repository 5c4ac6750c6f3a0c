# misconception: you left out what is rare in p, not only what never happens
def kl_divergence(p, q):
    happens = p > 1e-5
    return (p[happens] * (p[happens] / q[happens]).log()).sum()
