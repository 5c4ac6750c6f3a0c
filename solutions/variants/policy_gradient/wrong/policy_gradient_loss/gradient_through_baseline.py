# misconception: you let the gradient run through the baseline; it must be cut off with detach()
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    return -(advantage * log_taken).mean()
