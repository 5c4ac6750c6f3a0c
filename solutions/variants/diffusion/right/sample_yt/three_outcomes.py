# alternative: one uniform number decides between white, black and as before
def sample_yt(y0, t, delta, generator=None):
    r = per_image(replaced_probability(t, delta), y0)
    u = torch.rand(y0.shape, generator=generator, dtype=torch.float64)
    return torch.where(u < r / 2, 1.0, torch.where(u < r, -1.0, y0.double())).to(y0.dtype)
