# misconception: you detached the log-probabilities, so no gradient reaches the policy
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
    advantage = rewards if baseline is None else rewards - baseline
    return -(torch.as_tensor(advantage) * log_taken.detach()).mean()
