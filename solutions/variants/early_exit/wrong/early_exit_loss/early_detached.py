# misconception: you detached the early exits: no gradient reaches them
def early_exit_loss(exit_logits, y, weights):
    losses = [w * F.cross_entropy(z.detach(), y) for z, w in zip(exit_logits[:-1], weights)]
    return sum(losses) + weights[-1] * F.cross_entropy(exit_logits[-1], y)
