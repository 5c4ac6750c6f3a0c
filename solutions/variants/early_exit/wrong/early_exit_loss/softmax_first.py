# misconception: you applied the softmax before a cross-entropy that applies it already
def early_exit_loss(exit_logits, y, weights):
    return sum(w * F.cross_entropy(z.softmax(1), y) for z, w in zip(exit_logits, weights))
