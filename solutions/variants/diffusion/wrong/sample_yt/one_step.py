# misconception: you made one step of noise, for every t
def sample_yt(y0, t, delta, generator=None):
    return torch.where(torch.rand(y0.shape, generator=generator) < delta, -y0, y0)
