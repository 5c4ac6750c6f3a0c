# misconception: you detached the weights, so the penalty has no gradient
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam / 2 * sum((f * (weights[name].detach() - anchor[name]) ** 2).sum() for name, f in fisher.items())
