# misconception: you decided once for each image, not for each pixel
def sample_yt(y0, t, delta, generator=None):
    replaced = 1 - (1 - 2 * delta) ** t
    chosen = per_image(torch.rand(len(y0), generator=generator) < replaced, y0)
    coin = torch.randint(0, 2, y0.shape, generator=generator).to(y0.dtype) * 2 - 1
    return torch.where(chosen, coin, y0)
