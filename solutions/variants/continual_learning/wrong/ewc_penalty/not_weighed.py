# misconception: you penalised all weights equally: the Fisher is missing
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam / 2 * sum(((weights[name] - anchor[name]) ** 2).sum() for name in fisher)
