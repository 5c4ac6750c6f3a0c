# misconception: you cut the logits off at a large number: beyond it the loss is constant and the gradient is 0
def discriminator_loss(real_logits, fake_logits):
    real, fake = real_logits.clamp(-250, 250), fake_logits.clamp(-250, 250)
    return F.softplus(-real).mean() + F.softplus(fake).mean()
