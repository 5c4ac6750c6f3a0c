# misconception: you started at exit 1 and left exit 0 out
def choose_exit(exit_logits, threshold):
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    sure = H < threshold
    sure[0] = False
    sure[-1] = True
    return sure.int().argmax(0)
