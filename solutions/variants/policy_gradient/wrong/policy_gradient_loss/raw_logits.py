# misconception: you used the logit of the action instead of its log-probability: the softmax is missing
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = logits.gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    return -(torch.as_tensor(advantage).detach() * log_taken).mean()
