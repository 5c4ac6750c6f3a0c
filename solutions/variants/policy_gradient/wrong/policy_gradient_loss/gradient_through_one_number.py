# misconception: you detached a baseline of shape [B], but not one without dimensions
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
    if baseline is None:
        baseline = 0.0
    elif isinstance(baseline, torch.Tensor) and baseline.dim() == 1:
        baseline = baseline.detach()
    return -((rewards.detach() - baseline) * log_taken).mean()
