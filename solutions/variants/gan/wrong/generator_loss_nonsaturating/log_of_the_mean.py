# misconception: you took the logarithm of the mean instead of the mean of the logarithms
def generator_loss_nonsaturating(fake_logits):
    return -torch.log(torch.sigmoid(fake_logits).mean())
