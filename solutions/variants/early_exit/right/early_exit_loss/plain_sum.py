# alternative: the sum of a generator
def early_exit_loss(exit_logits, y, weights):
    return sum(w * F.cross_entropy(z, y) for z, w in zip(exit_logits, weights))
