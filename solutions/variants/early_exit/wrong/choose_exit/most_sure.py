# misconception: you chose the exit with the smallest entropy; the first below the threshold counts
def choose_exit(exit_logits, threshold):
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    return H.argmin(0)
