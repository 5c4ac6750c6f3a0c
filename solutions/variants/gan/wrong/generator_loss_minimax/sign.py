# misconception: you minimise -log(1 - D): this generator learns to be recognised
def generator_loss_minimax(fake_logits):
    return F.softplus(fake_logits).mean()
