# misconception: you used 1 - delta instead of 1 - 2 delta
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - delta
    kept = per_image(c ** (t - 1), y0)
    white, black = (1 + c * yt) * (1 + kept * y0), (1 - c * yt) * (1 - kept * y0)
    return white / (white + black)
