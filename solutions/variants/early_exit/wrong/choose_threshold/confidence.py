# misconception: you chose a limit for the confidence; choose_exit compares the entropy, and small entropy means sure
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    macs = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    H = torch.stack([z.softmax(1).max(1).values for z in exit_logits])
    values = sorted(set(H[:-1].flatten().tolist()))
    places = [values[0], *[(a + b) / 2 for a, b in zip(values, values[1:])], values[-1] + 1]
    found = []
    for t in places:
        exits = torch.cat([(H[:-1] >= t), torch.ones(1, len(y), dtype=torch.bool)]).int().argmax(0)
        said = torch.stack(exit_logits)[exits, torch.arange(len(y))].argmax(1)
        cost = float(macs[exits].mean())
        if cost <= budget:
            found.append((float((said == y).double().mean()), -cost, t))
    if not found:
        raise ValueError("too small a budget")
    return max(found)[2]
