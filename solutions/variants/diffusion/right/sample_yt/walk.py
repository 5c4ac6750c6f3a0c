# alternative: walks step by step, slowly
def sample_yt(y0, t, delta, generator=None):
    y = y0.clone()
    for step in range(int(t.max())):
        flips = torch.rand(y0.shape, generator=generator) < delta
        y = torch.where(flips & per_image(t > step, y0), -y, y)
    return y
