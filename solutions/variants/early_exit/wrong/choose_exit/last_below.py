# misconception: you chose the last exit below the threshold; the first one counts
def choose_exit(exit_logits, threshold):
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    sure = H < threshold
    E = len(sure)
    from_behind = E - 1 - sure.flip(0).int().argmax(0)
    return torch.where(sure.any(0), from_behind, E - 1)
