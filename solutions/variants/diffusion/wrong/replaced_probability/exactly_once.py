# misconception: you returned the probability of exactly one replacement instead of at least one
def replaced_probability(t, delta):
    return t * 2 * delta * (1 - 2 * delta) ** (t - 1)
