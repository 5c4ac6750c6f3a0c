# misconception: you did not use the given generator
def sample_yt(y0, t, delta, generator=None):
    replaced = per_image(1 - (1 - 2 * delta) ** t, y0)
    coin = torch.randint(0, 2, y0.shape).to(y0.dtype) * 2 - 1
    return torch.where(torch.rand(y0.shape) < replaced, coin, y0)
