# misconception: you called detach() on the baseline, which may be a plain number, too
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline.detach()
    return -(advantage.detach() * log_taken).mean()
