# misconception: you replaced pixels with delta per step instead of 2 delta
def sample_yt(y0, t, delta, generator=None):
    replaced = per_image(1 - (1 - delta) ** t, y0)
    coin = torch.randint(0, 2, y0.shape, generator=generator).to(y0.dtype) * 2 - 1
    return torch.where(torch.rand(y0.shape, generator=generator) < replaced, coin, y0)
