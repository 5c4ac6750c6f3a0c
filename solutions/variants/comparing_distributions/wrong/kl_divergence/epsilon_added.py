# misconception: you added a small number inside the logarithms, so that an infinite divergence comes out finite
def kl_divergence(p, q):
    return (p * ((p + 1e-12).log() - (q + 1e-12).log())).sum()
