# alternative: minus the cross-entropy with logits against zeros
def generator_loss_minimax(fake_logits):
    return -F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
