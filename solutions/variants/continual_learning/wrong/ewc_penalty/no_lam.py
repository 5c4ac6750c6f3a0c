# misconception: you left out lam
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return 0.5 * sum((f * (weights[name] - anchor[name]) ** 2).sum() for name, f in fisher.items())
