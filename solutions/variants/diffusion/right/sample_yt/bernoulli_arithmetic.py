# alternative: two Bernoulli draws combined by arithmetic
def sample_yt(y0, t, delta, generator=None):
    replaced = per_image(replaced_probability(t, delta), y0).expand(y0.shape)
    is_replaced = torch.bernoulli(replaced, generator=generator).to(y0.dtype)
    coin = 2 * torch.bernoulli(torch.full(y0.shape, 0.5), generator=generator).to(y0.dtype) - 1
    return is_replaced * coin + (1 - is_replaced) * y0
