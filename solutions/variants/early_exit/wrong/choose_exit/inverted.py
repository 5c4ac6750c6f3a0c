# misconception: you let the unsure samples leave: a small entropy means sure
def choose_exit(exit_logits, threshold):
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    sure = H > threshold
    sure[-1] = True
    return sure.int().argmax(0)
