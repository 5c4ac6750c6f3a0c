# misconception: you took the logarithm of a softmax that is rounded to 0
def early_exit_loss(exit_logits, y, weights):
    return sum(w * F.nll_loss(z.softmax(1).log(), y) for z, w in zip(exit_logits, weights))
