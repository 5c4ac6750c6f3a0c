# alternative: cross-entropy with the classes in dimension 1
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.permute(0, 2, 1), labels)
