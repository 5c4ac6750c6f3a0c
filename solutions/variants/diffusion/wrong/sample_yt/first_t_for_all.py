# misconception: you used the step of the first image for all images
def sample_yt(y0, t, delta, generator=None):
    replaced = 1 - (1 - 2 * delta) ** int(t[0])
    coin = torch.randint(0, 2, y0.shape, generator=generator).to(y0.dtype) * 2 - 1
    return torch.where(torch.rand(y0.shape, generator=generator) < replaced, coin, y0)
