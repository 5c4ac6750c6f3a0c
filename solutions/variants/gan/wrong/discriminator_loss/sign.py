# misconception: you returned the value of the game, which the discriminator maximises; the loss is minus that
def discriminator_loss(real_logits, fake_logits):
    return F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean()
