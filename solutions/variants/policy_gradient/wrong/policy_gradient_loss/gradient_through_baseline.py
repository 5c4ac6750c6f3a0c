# misconception: you let the gradient flow through the baseline; stop it with detach()
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    return -(advantage * log_taken).mean()
