# misconception: you minimise log D: this generator learns to be recognised
def generator_loss_nonsaturating(fake_logits):
    return F.logsigmoid(fake_logits).mean()
