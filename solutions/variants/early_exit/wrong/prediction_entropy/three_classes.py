# misconception: you wrote it for three classes only
def prediction_entropy(logits):
    return torch.special.entr(logits[:, :3].softmax(1)).sum(1)
