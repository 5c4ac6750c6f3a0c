# misconception: you left the logarithm out
def generator_loss_nonsaturating(fake_logits):
    return -torch.sigmoid(fake_logits).mean()
