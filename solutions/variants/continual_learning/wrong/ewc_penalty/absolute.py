# misconception: you took absolute differences instead of squares
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam / 2 * sum((f * (weights[name] - anchor[name]).abs()).sum() for name, f in fisher.items())
