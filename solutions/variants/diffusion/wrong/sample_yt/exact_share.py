# misconception: you replaced an exact share of the pixels; each pixel needs its own coin
def sample_yt(y0, t, delta, generator=None):
    rows = []
    for image, step in zip(y0, t):
        flat = image.flatten().clone()
        chosen = torch.randperm(flat.numel(), generator=generator)[: int(replaced_probability(step[None], delta) * flat.numel())]
        flat[chosen] = 2.0 * torch.randint(0, 2, chosen.shape, generator=generator).to(flat.dtype) - 1
        rows.append(flat.view(image.shape))
    return torch.stack(rows)
