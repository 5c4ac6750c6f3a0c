# alternative: the logarithm of the sigmoid in one stable function
def generator_loss_nonsaturating(fake_logits):
    return -F.logsigmoid(fake_logits).mean()
