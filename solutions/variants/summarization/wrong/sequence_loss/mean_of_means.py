# misconception: you took the mean of the texts' means; all tokens have the same weight
def sequence_loss(logits, labels):
    losses = F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=-100, reduction="none")
    return (losses.sum(1) / (labels != -100).sum(1)).mean()
