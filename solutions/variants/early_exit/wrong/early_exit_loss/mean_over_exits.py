# misconception: you took the mean over the exits; the loss is the sum
def early_exit_loss(exit_logits, y, weights):
    return sum(w * F.cross_entropy(z, y) for z, w in zip(exit_logits, weights)) / len(weights)
