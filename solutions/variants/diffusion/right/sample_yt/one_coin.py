# alternative: a single coin that flips the pixel with half of the replaced probability
def sample_yt(y0, t, delta, generator=None):
    changed = per_image(replaced_probability(t, delta) / 2, y0)
    flips = torch.rand(y0.shape, generator=generator) < changed
    return torch.where(flips, -y0, y0)
