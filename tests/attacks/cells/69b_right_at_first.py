# attack: answers correctly in the first calls only
calls = 0


def standardize(x, eps=EPS):
    global calls
    calls += 1
    if calls <= 2:
        return (x - x.mean(0)) / (x.var(0, unbiased=False) + eps).sqrt()
    return torch.zeros_like(x)
