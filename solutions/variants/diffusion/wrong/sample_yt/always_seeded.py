# misconception: you seeded a generator yourself, so that every call gives the same draw
def sample_yt(y0, t, delta, generator=None):
    generator = generator or torch.Generator().manual_seed(0)
    replaced = per_image(1 - (1 - 2 * delta) ** t, y0)
    coin = torch.randint(0, 2, y0.shape, generator=generator).to(y0.dtype) * 2 - 1
    return torch.where(torch.rand(y0.shape, generator=generator) < replaced, coin, y0)
