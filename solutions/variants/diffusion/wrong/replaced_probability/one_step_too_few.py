# misconception: you counted t - 1 steps
def replaced_probability(t, delta):
    return 1 - (1 - 2 * delta) ** (t - 1).clamp(min=0)
