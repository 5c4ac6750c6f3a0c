# alternative: 1 - sigmoid(a) = sigmoid(-a)
def generator_loss_minimax(fake_logits):
    return F.logsigmoid(-fake_logits).mean()
