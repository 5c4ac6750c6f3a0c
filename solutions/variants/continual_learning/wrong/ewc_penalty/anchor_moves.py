# misconception: you wrote the new weights into the anchor, which then moves with the network
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    penalty = lam / 2 * sum((f * (weights[name] - anchor[name]) ** 2).sum() for name, f in fisher.items())
    for name, value in anchor.items():
        value.copy_(weights[name].detach())
    return penalty
