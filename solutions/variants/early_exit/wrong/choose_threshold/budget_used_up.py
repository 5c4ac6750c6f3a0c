# misconception: you took the threshold that uses most of the budget; more work is not always more accurate
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    macs = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    values = sorted(set(H[:-1].flatten().tolist()))
    places = [values[0], *[(a + b) / 2 for a, b in zip(values, values[1:])], values[-1] + 1]
    found = []
    for t in places:
        exits = choose_exit(exit_logits, t)
        said = torch.stack(exit_logits)[exits, torch.arange(len(y))].argmax(1)
        cost = float(macs[exits].mean())
        if cost <= budget:
            found.append((float((said == y).double().mean()), -cost, t))
    if not found:
        raise ValueError("too small a budget")
    return min(found, key=lambda one: one[1])[2]
