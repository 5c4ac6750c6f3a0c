# misconception: you used 0.5 instead of the given threshold
def choose_exit(exit_logits, threshold):
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    sure = H < 0.5
    sure[-1] = True
    return sure.int().argmax(0) if threshold > 0 else torch.full((H.shape[1],), len(H) - 1)
