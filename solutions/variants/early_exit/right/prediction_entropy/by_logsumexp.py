# alternative: log of the normaliser minus the mean logit
def prediction_entropy(logits):
    shifted = logits - logits.max(dim=1, keepdim=True).values
    return shifted.logsumexp(1) - (shifted.softmax(1) * shifted).sum(1)
