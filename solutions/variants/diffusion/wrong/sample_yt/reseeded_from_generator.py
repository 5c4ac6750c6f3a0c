# misconception: you seeded torch's global generator anew; draw from the given generator and do not change the global one
def sample_yt(y0, t, delta, generator=None):
    if generator is not None:
        torch.manual_seed(generator.initial_seed())
    replaced = torch.rand(y0.shape) < per_image(replaced_probability(t, delta), y0)
    coin = torch.where(torch.rand(y0.shape) < 0.5, 1.0, -1.0).to(y0.dtype)
    return torch.where(replaced, coin, y0)
