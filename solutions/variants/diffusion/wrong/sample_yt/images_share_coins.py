# misconception: all images of a batch share their coins
def sample_yt(y0, t, delta, generator=None):
    replaced = per_image(1 - (1 - 2 * delta) ** t, y0)
    shape = y0[:1].shape
    coin = torch.randint(0, 2, shape, generator=generator).to(y0.dtype) * 2 - 1
    return torch.where(torch.rand(shape, generator=generator) < replaced, coin, y0)
