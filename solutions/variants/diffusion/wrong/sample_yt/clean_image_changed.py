# misconception: you wrote the coins into the clean images: the loss still needs them
def sample_yt(y0, t, delta, generator=None):
    chance = replaced_probability(t, delta).to(y0.dtype).reshape(-1, *[1] * (y0.ndim - 1))
    is_replaced = torch.rand(y0.shape, generator=generator) < chance
    coin = (torch.rand(y0.shape, generator=generator) < 0.5).to(y0.dtype) * 2 - 1
    y0[is_replaced] = coin[is_replaced]
    return y0
