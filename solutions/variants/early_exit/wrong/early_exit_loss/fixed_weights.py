# misconception: you used 0.3 and 1 instead of the given weights
def early_exit_loss(exit_logits, y, weights):
    given = [0.3] * (len(exit_logits) - 1) + [1.0]
    return sum(w * F.cross_entropy(z, y) for z, w in zip(exit_logits, given))
