# misconception: you swapped the labels: real samples belong to the answer 1, fakes to 0
def discriminator_loss(real_logits, fake_logits):
    return F.softplus(real_logits).mean() + F.softplus(-fake_logits).mean()
