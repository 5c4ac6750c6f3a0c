# misconception: you treated the whole batch as t = 1 because one image is; each has its own step
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    if bool((t == 1).any()):
        return (y0 + 1) / 2
    kept = per_image(c ** (t - 1), y0)
    return (1 + c * yt) * (1 + kept * y0) / (2 * (1 + c * kept * yt * y0))
