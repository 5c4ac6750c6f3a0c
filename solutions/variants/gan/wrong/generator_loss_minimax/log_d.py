# misconception: you took log D; the minimax loss is the mean of log(1 - D)
def generator_loss_minimax(fake_logits):
    return F.logsigmoid(fake_logits).mean()
