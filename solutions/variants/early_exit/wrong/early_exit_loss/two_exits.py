# misconception: you wrote it for two exits only
def early_exit_loss(exit_logits, y, weights):
    return weights[0] * F.cross_entropy(exit_logits[0], y) + weights[-1] * F.cross_entropy(exit_logits[-1], y)
