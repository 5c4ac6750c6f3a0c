# misconception: you added up the logits of the exits and took one loss; each exit has its own loss
def early_exit_loss(exit_logits, y, weights):
    return F.cross_entropy(sum(w * z for z, w in zip(exit_logits, weights)), y)
