# misconception: you halved the loss
def generator_loss_minimax(fake_logits):
    return -0.5 * F.softplus(fake_logits).mean()
