# misconception: you changed the logits in place: the caller still needs them
def prediction_entropy(logits):
    logits -= logits.max(dim=1, keepdim=True).values
    return torch.special.entr(logits.softmax(1)).sum(1)
