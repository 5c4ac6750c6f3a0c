# misconception: you left out the factor 1/2
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam * sum((f * (weights[name] - anchor[name]) ** 2).sum() for name, f in fisher.items())
