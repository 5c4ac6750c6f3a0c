# misconception: you added a small number inside the logarithm, which limits the loss for very negative logits
def generator_loss_nonsaturating(fake_logits):
    return -torch.log(torch.sigmoid(fake_logits) + 1e-8).mean()
