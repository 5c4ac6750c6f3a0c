# misconception: you used the minimax loss, whose gradient vanishes where the fakes are bad
def generator_loss_nonsaturating(fake_logits):
    return -F.softplus(fake_logits).mean()
