# misconception: you did not divide by the probability of Y_t
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    return (1 + c * yt) * (1 + kept * y0) / 4
