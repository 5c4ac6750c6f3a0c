# misconception: you changed the logits in place: the caller still needs them
def early_exit_loss(exit_logits, y, weights):
    total = 0.0
    for z, w in zip(exit_logits, weights):
        z.data.sub_(z.data.max(dim=1, keepdim=True).values)
        total = total + w * F.cross_entropy(z, y)
    return total
