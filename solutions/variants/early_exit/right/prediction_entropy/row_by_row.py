# alternative: a loop over the samples
def prediction_entropy(logits):
    return torch.stack([F.cross_entropy(row[None], row.softmax(0)[None]) for row in logits])
