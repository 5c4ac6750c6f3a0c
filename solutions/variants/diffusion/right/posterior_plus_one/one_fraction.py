# alternative: both pieces of evidence in one fraction
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    return 0.5 * (1 + (c * yt + kept * y0) / (1 + c * kept * yt * y0))
