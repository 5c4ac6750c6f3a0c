# misconception: you summed over the batch instead of averaging
def generator_loss_minimax(fake_logits):
    return -F.softplus(fake_logits).sum()
