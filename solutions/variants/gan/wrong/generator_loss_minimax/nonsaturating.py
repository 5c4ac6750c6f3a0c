# misconception: you used the non-saturating loss; the minimax loss is the mean of log(1 - D)
def generator_loss_minimax(fake_logits):
    return F.softplus(-fake_logits).mean()
