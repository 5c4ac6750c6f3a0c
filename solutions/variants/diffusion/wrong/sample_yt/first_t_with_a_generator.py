# misconception: with a generator you use the t of the first image for all
def sample_yt(y0, t, delta, generator=None):
    steps = t if generator is None else t[:1].expand(len(t))
    replaced = torch.rand(y0.shape, generator=generator) < per_image(replaced_probability(steps, delta), y0)
    coin = (torch.rand(y0.shape, generator=generator) < 0.5).to(y0.dtype) * 2 - 1
    return torch.where(replaced, coin, y0)
