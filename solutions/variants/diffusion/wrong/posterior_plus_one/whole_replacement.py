# misconception: half of the replaced pixels look like Y_0 again: they differ from it with r_{t-1} / 2, not r_{t-1}
def posterior_plus_one(yt, y0, t, delta):
    r = per_image(replaced_probability(t - 1, delta), yt)
    was_white = torch.where(y0 > 0, 1 - r, r)
    to_white, to_black = torch.where(yt > 0, 1 - delta, delta), torch.where(yt > 0, delta, 1 - delta)
    return to_white * was_white / (to_white * was_white + to_black * (1 - was_white))
