# misconception: your coins are 0 and 1; pixels are -1 and +1
def sample_yt(y0, t, delta, generator=None):
    replaced = per_image(1 - (1 - 2 * delta) ** t, y0)
    coin = torch.randint(0, 2, y0.shape, generator=generator).to(y0.dtype)
    return torch.where(torch.rand(y0.shape, generator=generator) < replaced, coin, y0)
