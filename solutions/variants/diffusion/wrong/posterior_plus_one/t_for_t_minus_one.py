# misconception: your jump from Y_0 has t steps; to Y_{t-1} it has t - 1
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c**t, y0)
    white, black = (1 + c * yt) * (1 + kept * y0), (1 - c * yt) * (1 - kept * y0)
    return white / (white + black)
