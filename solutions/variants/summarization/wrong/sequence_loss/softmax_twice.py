# misconception: you gave probabilities to cross_entropy; it needs logits and applies the softmax itself
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.softmax(dim=2).flatten(0, 1), labels.flatten(), ignore_index=-100)
