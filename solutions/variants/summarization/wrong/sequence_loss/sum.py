# misconception: you took the sum over the positions instead of the mean
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum")
