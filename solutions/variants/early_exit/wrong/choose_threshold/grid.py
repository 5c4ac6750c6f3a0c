# misconception: you tried a grid of thresholds, and the best one lies between two of its points; only the entropies themselves tell where something changes
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    macs = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    places = torch.linspace(0, math.log(exit_logits[0].shape[1]) + 0.01, 1000).tolist()
    found = []
    for t in places:
        below = H < t
        below[-1] = True
        exits = below.int().argmax(0)
        said = torch.stack(exit_logits)[exits, torch.arange(len(y))].argmax(1)
        cost = float(macs[exits].mean())
        if cost <= budget:
            found.append((float((said == y).double().mean()), -cost, t))
    if not found:
        raise ValueError("too small a budget")
    return max(found)[2]
