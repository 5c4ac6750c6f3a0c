# misconception: you left Y_0 out: this is only the step from Y_t
def posterior_plus_one(yt, y0, t, delta):
    return torch.where(yt > 0, 1 - delta, delta) + 0 * y0
