# misconception: only white pixels change in your version; both signs must
def sample_yt(y0, t, delta, generator=None):
    changed = per_image((1 - (1 - 2 * delta) ** t) / 2, y0)
    flips = (torch.rand(y0.shape, generator=generator) < changed) & (y0 > 0)
    return torch.where(flips, -y0, y0)
