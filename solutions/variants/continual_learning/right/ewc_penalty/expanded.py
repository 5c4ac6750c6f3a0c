# alternative: by get_parameter, with the Fisher under the square
def ewc_penalty(model, fisher, anchor, lam):
    terms = [
        (((lam / 2) ** 0.5 * f.sqrt() * (model.get_parameter(name) - anchor[name])) ** 2).sum()
        for name, f in fisher.items()
    ]
    return torch.stack(terms).sum()
