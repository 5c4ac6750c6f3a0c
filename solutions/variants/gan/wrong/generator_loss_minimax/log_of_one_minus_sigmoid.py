# misconception: you took the logarithm of 1 - sigmoid, which is rounded to 0 for large logits
def generator_loss_minimax(fake_logits):
    return torch.log(1 - torch.sigmoid(fake_logits)).mean()
