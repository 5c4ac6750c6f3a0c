# misconception: you summed over the batch instead of averaging
def generator_loss_nonsaturating(fake_logits):
    return F.softplus(-fake_logits).sum()
