# misconception: you smoothed the labels; the loss is -log P of the right token
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100, label_smoothing=0.1)
