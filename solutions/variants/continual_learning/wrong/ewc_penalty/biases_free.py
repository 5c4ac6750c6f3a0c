# misconception: you left the biases out
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam / 2 * sum((f * (weights[name] - anchor[name]) ** 2).sum() for name, f in fisher.items() if weights[name].ndim != 1)
