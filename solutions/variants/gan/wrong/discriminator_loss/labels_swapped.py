# misconception: you swapped the labels: real samples have the label 1, fakes 0
def discriminator_loss(real_logits, fake_logits):
    return F.softplus(real_logits).mean() + F.softplus(-fake_logits).mean()
