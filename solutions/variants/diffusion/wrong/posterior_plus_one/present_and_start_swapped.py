# misconception: you swapped Y_t and Y_0: one step belongs to Y_t, t - 1 steps to Y_0
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    white, black = (1 + c * y0) * (1 + kept * yt), (1 - c * y0) * (1 - kept * yt)
    return white / (white + black)
