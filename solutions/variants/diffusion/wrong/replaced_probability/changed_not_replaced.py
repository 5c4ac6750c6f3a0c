# misconception: you returned the probability that the value has changed; half of the replaced pixels keep their value
def replaced_probability(t, delta):
    return (1 - (1 - 2 * delta) ** t) / 2
