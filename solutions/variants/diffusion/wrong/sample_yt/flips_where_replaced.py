# misconception: you flipped every replaced pixel; it gets a fair coin, which changes nothing half of the time
def sample_yt(y0, t, delta, generator=None):
    replaced = per_image(1 - (1 - 2 * delta) ** t, y0)
    return torch.where(torch.rand(y0.shape, generator=generator) < replaced, -y0, y0)
