# misconception: you scaled the Fisher to a largest entry of 1
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    largest = max(f.max() for f in fisher.values())
    return lam / 2 * sum((f / largest * (weights[name] - anchor[name]) ** 2).sum() for name, f in fisher.items())
