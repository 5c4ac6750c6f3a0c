# alternative: the four combinations of signs, one by one
def posterior_plus_one(yt, y0, t, delta):
    half = per_image(replaced_probability(t - 1, delta), y0) / 2
    step_to_white = torch.where(yt > 0, 1 - delta, delta)
    step_to_black = torch.where(yt > 0, delta, 1 - delta)
    was_white = torch.where(y0 > 0, 1 - half, half)
    return step_to_white * was_white / (step_to_white * was_white + step_to_black * (1 - was_white))
