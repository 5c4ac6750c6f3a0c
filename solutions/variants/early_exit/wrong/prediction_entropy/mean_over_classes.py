# misconception: you took the mean over the classes; an entropy is the sum
def prediction_entropy(logits):
    return torch.special.entr(logits.softmax(1)).mean(1)
