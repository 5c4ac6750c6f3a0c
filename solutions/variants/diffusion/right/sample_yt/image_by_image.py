# alternative: image by image, the fair coin first
def sample_yt(y0, t, delta, generator=None):
    rows = []
    for image, step in zip(y0, t):
        coin = torch.randint(0, 2, image.shape, generator=generator).to(image.dtype) * 2 - 1
        chosen = torch.rand(image.shape, generator=generator) < 1 - (1 - 2 * delta) ** int(step)
        rows.append(torch.where(chosen, coin, image))
    return torch.stack(rows)
