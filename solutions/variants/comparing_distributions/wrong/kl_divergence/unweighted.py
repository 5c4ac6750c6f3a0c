# misconception: you summed the log ratios without their weights p
def kl_divergence(p, q):
    happens = p > 0
    return (p[happens].log() - q[happens].log()).sum()
