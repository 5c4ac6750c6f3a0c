# misconception: you counted padded positions as if their label were token 0
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.clamp(min=0).flatten())
