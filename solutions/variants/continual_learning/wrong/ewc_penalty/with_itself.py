# misconception: you compared the network with itself, so the penalty is always 0
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam / 2 * sum((f * (weights[name] - weights[name].detach()) ** 2).sum() for name, f in fisher.items())
