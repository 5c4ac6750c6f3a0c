# misconception: you took the logarithm to base 2; the entropy must be in nats
def prediction_entropy(logits):
    return torch.special.entr(logits.softmax(1)).sum(1) / math.log(2)
