# alternative: the mean of two calls of kl_divergence
def jensen_shannon(p, q):
    r = 0.5 * (p + q)
    return 0.5 * kl_divergence(p, r) + 0.5 * kl_divergence(q, r)
