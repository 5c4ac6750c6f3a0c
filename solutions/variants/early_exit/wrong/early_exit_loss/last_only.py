# misconception: you trained the last exit only
def early_exit_loss(exit_logits, y, weights):
    return weights[-1] * F.cross_entropy(exit_logits[-1], y)
