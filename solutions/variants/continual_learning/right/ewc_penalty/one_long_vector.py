# alternative: all weights in one vector, and a dot product
def ewc_penalty(model, fisher, anchor, lam):
    weights = dict(model.named_parameters())
    away = torch.cat([(weights[name] - anchor[name]).flatten() for name in fisher])
    return lam / 2 * torch.dot(torch.cat([f.flatten() for f in fisher.values()]), away**2)
