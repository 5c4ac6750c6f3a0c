# misconception: you computed the entropy of the logits; turn them into probabilities first
def prediction_entropy(logits):
    p = logits - logits.min(dim=1, keepdim=True).values + 1e-3
    return -(p * torch.log(p)).sum(dim=1)
