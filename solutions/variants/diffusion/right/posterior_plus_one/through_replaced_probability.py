# alternative: the jump by replaced_probability, without cases
def posterior_plus_one(yt, y0, t, delta):
    r = per_image(replaced_probability(t - 1, delta), y0)
    kept = 1 - r
    a = (0.5 + yt * (0.5 - delta)) * (0.5 + 0.5 * kept * y0)
    b = (0.5 - yt * (0.5 - delta)) * (0.5 - 0.5 * kept * y0)
    return a / (a + b)
