# misconception: you divided by log C; return the entropy itself
def prediction_entropy(logits):
    return torch.special.entr(logits.softmax(1)).sum(1) / math.log(max(2, logits.shape[1]))
