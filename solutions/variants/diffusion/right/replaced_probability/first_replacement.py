# alternative: adds up the probabilities that step s is the first to replace the pixel
def replaced_probability(t, delta):
    s = torch.arange(1, int(t.max()) + 1)
    first = 2 * delta * (1 - 2 * delta) ** (s - 1)
    return (first * (s <= t[:, None])).sum(dim=1)
