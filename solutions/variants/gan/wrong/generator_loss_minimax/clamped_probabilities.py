# misconception: you added a small number inside the logarithm, which limits the loss for large logits
def generator_loss_minimax(fake_logits):
    return torch.log(1 - torch.sigmoid(fake_logits) + 1e-8).mean()
