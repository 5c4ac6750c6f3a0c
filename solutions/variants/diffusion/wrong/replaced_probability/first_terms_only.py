# misconception: you stopped the expansion of the power after three terms
def replaced_probability(t, delta):
    d, t = 2 * delta, t.float()
    return d * t - d**2 * t * (t - 1) / 2 + d**3 * t * (t - 1) * (t - 2) / 6
