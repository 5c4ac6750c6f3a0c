# misconception: you returned the probability of never being replaced
def replaced_probability(t, delta):
    return (1 - 2 * delta) ** t + 0.0
