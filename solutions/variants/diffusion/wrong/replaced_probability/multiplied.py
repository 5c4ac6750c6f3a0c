# misconception: you multiplied 2 delta by t; a pixel can be replaced several times, so the probabilities do not add up
def replaced_probability(t, delta):
    return (2 * delta * t).clamp(max=1.0)
