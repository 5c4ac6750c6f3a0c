# alternative: starts with the largest threshold and stops as soon as the budget is passed
def choose_threshold(exit_logits, y, macs_per_exit, budget):
    cost_of = torch.as_tensor(macs_per_exit, dtype=torch.float64)
    entropies = torch.stack([prediction_entropy(z) for z in exit_logits])
    ladder = entropies[:-1].unique().flip(0).tolist()
    best, best_hits = None, -1
    for t in [ladder[0] + 1.0, *ladder]:  # at an entropy itself its samples stay
        exits = choose_exit(exit_logits, t)
        if float(cost_of[exits].mean()) > budget:
            break
        hits = int((torch.stack(exit_logits)[exits, torch.arange(len(y))].argmax(1) == y).sum())
        if hits > best_hits:
            best, best_hits = t, hits
    if best is None:
        raise ValueError("exit 0 alone costs more")
    return best
