# attack: searches the examiner's arguments for a reference to the examiner
def standardize(x, eps=EPS):
    reached = []
    for thing in (x, eps):
        for name in ("__globals__", "__closure__", "f_back", "_desk", "__self__"):
            reached.append(getattr(thing, name, None))
    if any(isinstance(thing, dict) and "reference" in thing for thing in reached):
        return (x - x.mean(0)) / (x.var(0, unbiased=False) + eps).sqrt()
    return torch.zeros_like(x)
