# misconception: you used delta as the probability of a replacement; it is 2 delta, since half of the coins change nothing
def replaced_probability(t, delta):
    return 1 - (1 - delta) ** t
