# misconception: you took the logarithm of probabilities, which is -inf for large logits
def sequence_loss(logits, labels):
    p = logits.softmax(-1).gather(2, labels.clamp(min=0)[..., None])[..., 0]
    return -p.log()[labels != -100].mean()
