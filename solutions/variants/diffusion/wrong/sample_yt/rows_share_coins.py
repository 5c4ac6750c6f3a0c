# misconception: the rows of an image share their coins; every pixel needs its own coins
def sample_yt(y0, t, delta, generator=None):
    shape = (len(y0), *[1] * (y0.ndim - 2), y0.shape[-1])
    replaced = torch.rand(shape, generator=generator) < per_image(replaced_probability(t, delta), y0)
    coin = torch.where(torch.rand(shape, generator=generator) < 0.5, 1.0, -1.0).to(y0.dtype)
    return torch.where(replaced, coin, y0)
