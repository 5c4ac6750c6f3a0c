# misconception: you left Y_t out: this is only the jump from Y_0
def posterior_plus_one(yt, y0, t, delta):
    kept = per_image((1 - 2 * delta) ** (t - 1), y0)
    return (1 + kept * y0) / 2 + 0 * yt
