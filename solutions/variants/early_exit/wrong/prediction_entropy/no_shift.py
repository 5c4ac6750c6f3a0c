# misconception: you wrote the softmax without subtracting the largest logit: large logits overflow
def prediction_entropy(logits):
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return torch.special.entr(p).sum(1)
