# misconception: you compared normal numbers with a probability; a coin needs uniform ones
def sample_yt(y0, t, delta, generator=None):
    replaced = per_image(1 - (1 - 2 * delta) ** t, y0)
    coin = torch.randint(0, 2, y0.shape, generator=generator).to(y0.dtype) * 2 - 1
    return torch.where(torch.randn(y0.shape, generator=generator) < replaced, coin, y0)
