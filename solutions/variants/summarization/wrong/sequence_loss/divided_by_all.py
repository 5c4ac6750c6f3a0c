# misconception: you divided by the number of all positions, padded ones included
def sequence_loss(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum") / labels.numel()
