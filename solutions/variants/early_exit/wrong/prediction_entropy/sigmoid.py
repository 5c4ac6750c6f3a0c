# misconception: you made a probability of each logit by itself; the classes exclude each other, so use the softmax
def prediction_entropy(logits):
    p = torch.sigmoid(logits)
    return torch.special.entr(p).sum(1)
