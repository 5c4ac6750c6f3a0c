# misconception: you took the mean over all entries instead of the sum
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    return lam / 2 * torch.cat([(f * (weights[name] - anchor[name]) ** 2).flatten() for name, f in fisher.items()]).mean()
