# misconception: you used the cross-entropy of probabilities, which limits its logarithms to -100
def generator_loss_minimax(fake_logits):
    fake = torch.sigmoid(fake_logits)
    return -F.binary_cross_entropy(fake, torch.zeros_like(fake))
