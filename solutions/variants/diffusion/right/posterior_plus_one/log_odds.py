# alternative: log odds of independent evidence add up
def posterior_plus_one(yt, y0, t, delta):
    c = 1 - 2 * delta
    kept = per_image(c ** (t - 1), y0).double()
    start = torch.log1p(kept * y0) - torch.log1p(-kept * y0)
    present = yt * math.log((1 - delta) / delta)
    return torch.sigmoid(start + present).to(yt.dtype)
