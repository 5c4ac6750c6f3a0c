# alternative: minus the log-sum-exp of the logit and 0
def generator_loss_minimax(fake_logits):
    logits = fake_logits.reshape(-1, 1)
    return -torch.logsumexp(torch.cat([torch.zeros_like(logits), logits], dim=1), dim=1).mean()
