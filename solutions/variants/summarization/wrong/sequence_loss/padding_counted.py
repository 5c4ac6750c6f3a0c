# misconception: you counted padded places as if token 0 were right there
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.clamp(min=0).flatten())
