# misconception: you took the logarithm of a softmax that is rounded to 0
def prediction_entropy(logits):
    p = logits.softmax(1)
    return -(p * p.log()).sum(1)
