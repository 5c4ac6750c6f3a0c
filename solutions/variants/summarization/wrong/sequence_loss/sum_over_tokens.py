# misconception: you added up the tokens of each text and took the mean over the texts
def sequence_loss(logits, labels):
    total = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="sum")
    return total / len(labels)
