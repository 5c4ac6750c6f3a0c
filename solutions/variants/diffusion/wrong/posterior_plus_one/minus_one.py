# misconception: you returned the probability of -1
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    white, black = (1 + c * yt) * (1 + kept * y0), (1 - c * yt) * (1 - kept * y0)
    return black / (white + black)
