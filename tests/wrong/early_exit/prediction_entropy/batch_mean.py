# misconception: you returned the mean entropy of the batch for every sample
def prediction_entropy(logits):
    each = torch.special.entr(logits.softmax(1)).sum(1)
    return each.mean().expand(len(logits)).clone()
