# alternative: the logarithm of the sigmoid, and 1 - sigmoid(a) = sigmoid(-a)
def discriminator_loss(real_logits, fake_logits):
    return -(F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean())
