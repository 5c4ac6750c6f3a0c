# misconception: you applied the sigmoid twice
def generator_loss_nonsaturating(fake_logits):
    fake = torch.sigmoid(fake_logits)
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
