# misconception: your formula holds for Y_t = +1 only
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    white, black = (1 + c) * (1 + kept * y0), (1 - c) * (1 - kept * y0)
    return white / (white + black) + 0 * yt
