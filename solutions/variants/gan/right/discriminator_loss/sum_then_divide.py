# alternative: sums, divided by the number of entries
def discriminator_loss(real_logits, fake_logits):
    real, fake = F.softplus(-real_logits), F.softplus(fake_logits)
    return real.sum() / real.numel() + fake.sum() / fake.numel()
