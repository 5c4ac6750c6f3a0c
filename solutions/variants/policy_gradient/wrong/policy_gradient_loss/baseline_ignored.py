# misconception: you did not use the baseline
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
    return -(rewards.detach() * log_taken).mean()
