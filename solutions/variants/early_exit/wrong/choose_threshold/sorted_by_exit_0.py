# misconception: you let the n surest samples leave at exit 0 and divided equal entropies; samples with the same entropy leave together
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    macs = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    levels = H[:-1].flatten().sort().values.tolist()
    found = []
    for n in range(len(levels) + 1):
        order = H[:-1].flatten().argsort(stable=True)
        sure = torch.zeros(H[:-1].numel(), dtype=torch.bool)
        sure[order[:n]] = True
        sure = torch.cat([sure.reshape(H[:-1].shape), torch.ones(1, len(y), dtype=torch.bool)])
        exits = sure.int().argmax(0)
        said = torch.stack(exit_logits)[exits, torch.arange(len(y))].argmax(1)
        cost = float(macs[exits].mean())
        t = levels[0] / 2 if n == 0 else levels[-1] + 1 if n == len(levels) else (levels[n - 1] + levels[n]) / 2
        if cost <= budget:
            found.append((float((said == y).double().mean()), -cost, t))
    if not found:
        raise ValueError("too small a budget")
    return max(found)[2]
