# misconception: you averaged the two factors; Bayes' rule multiplies them
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    return ((1 + c * yt) / 2 + (1 + kept * y0) / 2) / 2
