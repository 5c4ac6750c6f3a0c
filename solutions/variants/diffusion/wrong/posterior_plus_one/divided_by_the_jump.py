# misconception: you divided by one half, the probability of Y_t without Y_0; the denominator is the sum over both values of Y_{t-1}
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    return ((1 + c * yt) * (1 + kept * y0) / 2).clamp(max=1)
