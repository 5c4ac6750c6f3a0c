# misconception: you took the logarithm of a sigmoid, which is rounded to 0 for very negative logits
def generator_loss_nonsaturating(fake_logits):
    return -torch.log(torch.sigmoid(fake_logits)).mean()
