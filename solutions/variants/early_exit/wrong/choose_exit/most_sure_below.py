# misconception: you chose the exit with the smallest entropy below the threshold; the first one counts
def choose_exit(exit_logits, threshold):
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    best = H.argmin(0)
    return torch.where(H.min(0).values < threshold, best, len(exit_logits) - 1)
