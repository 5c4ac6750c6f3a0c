# misconception: you applied the sigmoid twice
def generator_loss_minimax(fake_logits):
    return F.logsigmoid(-torch.sigmoid(fake_logits)).mean()
