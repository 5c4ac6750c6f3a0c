# misconception: you removed the logits from the given list: the caller finds it empty
def early_exit_loss(exit_logits, y, weights):
    total = 0.0
    for weight in reversed(list(weights)):
        total = total + weight * F.cross_entropy(exit_logits.pop(), y)
    return total
