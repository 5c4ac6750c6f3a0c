# misconception: you turned each logit into a probability by itself; the classes are mutually exclusive, so use the softmax
def prediction_entropy(logits):
    p = torch.sigmoid(logits)
    return torch.special.entr(p).sum(1)
