# misconception: you left the weights out
def early_exit_loss(exit_logits, y, weights):
    return sum(F.cross_entropy(z, y) for z in exit_logits)
