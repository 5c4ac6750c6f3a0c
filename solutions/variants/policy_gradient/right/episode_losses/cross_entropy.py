# alternative: minus the log-probability as a cross-entropy without reduction; the returns are filled in place
def episode_losses(logits, values, actions, rewards, alive, gamma):
    rewards = rewards.detach() * alive
    gains = torch.zeros_like(rewards)
    gains[:, -1] = rewards[:, -1]
    for t in range(rewards.shape[1] - 2, -1, -1):
        gains[:, t] = rewards[:, t] + gamma * gains[:, t + 1]
    surprise = torch.nn.functional.cross_entropy(logits.transpose(1, 2), actions, reduction="none")  # [B, T]
    factors = torch.tensor([float(gamma) ** t for t in range(rewards.shape[1])])
    errors = (values - gains) * alive
    policy_loss = (factors * -errors.detach() * surprise).sum(dim=1).mean()
    return policy_loss, (errors**2).sum() / alive.sum()
