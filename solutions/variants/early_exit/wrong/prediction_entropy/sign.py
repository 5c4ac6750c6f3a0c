# misconception: you forgot the minus sign: an entropy is not negative
def prediction_entropy(logits):
    return -torch.special.entr(logits.softmax(1)).sum(1)
