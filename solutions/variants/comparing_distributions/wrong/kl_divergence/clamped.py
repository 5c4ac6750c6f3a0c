# misconception: you clamped the probabilities, so that an infinite divergence comes out finite
def kl_divergence(p, q):
    p, q = p.clamp(min=1e-10), q.clamp(min=1e-10)
    return (p * (p / q).log()).sum()
