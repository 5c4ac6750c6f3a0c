# misconception: you averaged within each parameter instead of adding up all entries
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam / 2 * sum((f * (weights[name] - anchor[name]) ** 2).mean() for name, f in fisher.items())
