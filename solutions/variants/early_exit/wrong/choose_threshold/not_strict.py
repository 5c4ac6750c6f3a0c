# misconception: you let a sample leave whose entropy equals the threshold, and returned an entropy; choose_exit needs a threshold above it
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    macs = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    found = []
    for t in [-1.0, *sorted(set(H[:-1].flatten().tolist()))]:
        sure = H <= t
        sure[-1] = True
        exits = sure.int().argmax(0)
        said = torch.stack(exit_logits)[exits, torch.arange(len(y))].argmax(1)
        cost = float(macs[exits].mean())
        if cost <= budget:
            found.append((float((said == y).double().mean()), -cost, t))
    if not found:
        raise ValueError("too small a budget")
    return max(found)[2]
