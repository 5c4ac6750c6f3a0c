# misconception: you also penalised weights that the Fisher does not name
def ewc_penalty(model, fisher, anchor, lam):
    total = 0
    for name, weight in model.named_parameters():
        f = fisher.get(name, torch.ones_like(weight))
        total = total + (f * (weight - anchor[name]) ** 2).sum()
    return lam / 2 * total
