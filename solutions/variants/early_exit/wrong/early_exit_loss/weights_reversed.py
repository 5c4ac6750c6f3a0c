# misconception: you gave the weights to the exits in reverse order
def early_exit_loss(exit_logits, y, weights):
    return sum(w * F.cross_entropy(z, y) for z, w in zip(exit_logits, reversed(weights)))
