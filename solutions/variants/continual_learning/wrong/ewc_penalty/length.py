# misconception: you took the root of the sum: a distance instead of its square
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam / 2 * sum((f * (weights[name] - anchor[name]) ** 2).sum() for name, f in fisher.items()).sqrt()
