# misconception: you measured in bits (logarithm to the base 2) instead of nats
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100) / math.log(2)
