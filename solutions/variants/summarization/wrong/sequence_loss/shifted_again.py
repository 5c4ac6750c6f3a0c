# misconception: you shifted once more: logits[:, t] already belongs to labels[:, t]
def sequence_loss(logits, labels):
    if logits.shape[1] > 1:
        logits, labels = logits[:, :-1], labels[:, 1:]
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
