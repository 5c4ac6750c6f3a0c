# misconception: all replaced pixels of an image get the same value; each needs its own coin
def sample_yt(y0, t, delta, generator=None):
    replaced = torch.rand(y0.shape, generator=generator) < per_image(replaced_probability(t, delta), y0)
    coin = per_image(torch.randint(0, 2, (len(y0),), generator=generator) * 2 - 1, y0).to(y0.dtype)
    return torch.where(replaced, coin, y0)
