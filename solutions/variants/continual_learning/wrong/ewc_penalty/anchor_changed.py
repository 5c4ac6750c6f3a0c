# misconception: you overwrote the anchor with the differences
def ewc_penalty(model, fisher, anchor, lam):
    total = 0.0
    for name, weight in model.named_parameters():
        if name in fisher:
            anchor[name] = weight - anchor[name]
            total = total + (fisher[name] * anchor[name] ** 2).sum()
    return lam / 2 * total
