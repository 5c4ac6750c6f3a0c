# misconception: you took the logarithm of a sigmoid that is rounded to 0 or 1: infinite for sure answers
def discriminator_loss(real_logits, fake_logits):
    return -torch.log(torch.sigmoid(real_logits)).mean() - torch.log(1 - torch.sigmoid(fake_logits)).mean()
