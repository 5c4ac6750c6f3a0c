# alternative: replaces on a copy, with as many fair coins as there are pixels to replace
def sample_yt(y0, t, delta, generator=None):
    out = y0.clone()
    chosen = torch.empty_like(y0).bernoulli_(0.5, generator=generator) * 0 + torch.empty(y0.shape).uniform_(generator=generator)
    chosen = chosen < per_image(replaced_probability(t, delta), y0)
    out[chosen] = torch.empty(int(chosen.sum()), dtype=y0.dtype).random_(0, 2, generator=generator) * 2 - 1
    return out
