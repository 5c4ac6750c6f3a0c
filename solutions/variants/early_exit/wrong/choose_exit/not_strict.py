# misconception: you let a sample leave whose entropy equals the threshold; it must be below
def choose_exit(exit_logits, threshold):
    H = torch.stack([prediction_entropy(z) for z in exit_logits])
    sure = H <= threshold
    sure[-1] = True
    return sure.int().argmax(0)
