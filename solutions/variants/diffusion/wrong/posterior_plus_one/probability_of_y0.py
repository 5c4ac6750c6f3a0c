# misconception: you returned the probability that Y_{t-1} equals Y_0, not that it is +1
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0)
    same, other = (1 + c * yt * y0) * (1 + kept), (1 - c * yt * y0) * (1 - kept)
    return same / (same + other)
