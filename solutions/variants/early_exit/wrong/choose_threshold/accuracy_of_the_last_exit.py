# misconception: you measured the accuracy of the last exit; a sample that leaves early gets the answer of its own exit
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    macs = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    values = sorted(set(H[:-1].flatten().tolist()))
    places = [values[0], *[(a + b) / 2 for a, b in zip(values, values[1:])], values[-1] + 1]
    found = []
    for t in places:
        exits = choose_exit(exit_logits, t)
        said = exit_logits[-1].argmax(1)
        cost = float(macs[exits].mean())
        if cost <= budget:
            found.append((float((said == y).double().mean()), -cost, t))
    if not found:
        raise ValueError("too small a budget")
    return max(found)[2]
