# misconception: you used one coin for both decisions, so that a replaced pixel always gets the same value
def sample_yt(y0, t, delta, generator=None):
    replaced = per_image(1 - (1 - 2 * delta) ** t, y0)
    coin = torch.rand(y0.shape, generator=generator)
    return torch.where(coin < replaced, torch.where(coin < 0.5, 1.0, -1.0).to(y0.dtype), y0)
