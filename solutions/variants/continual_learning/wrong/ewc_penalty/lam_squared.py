# misconception: you squared lam as well
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return sum((f * (lam * (weights[name] - anchor[name])) ** 2).sum() for name, f in fisher.items()) / 2
