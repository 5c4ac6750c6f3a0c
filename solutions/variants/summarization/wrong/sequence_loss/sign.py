# misconception: you forgot the minus sign
def sequence_loss(logits, labels):
    return -F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
