# misconception: you gave every action the return from the start of the episode, in place of the return from its own step
def episode_losses(logits, values, actions, rewards, alive, gamma):
    T = rewards.shape[1]
    paid = torch.where(alive, rewards, 0).detach()
    returns, following = [], torch.zeros_like(paid[:, 0])
    for t in reversed(range(T)):
        following = paid[:, t] + gamma * following
        returns.append(following)
    targets = torch.stack(returns[::-1], dim=1)  # [B, T]
    chosen = torch.log_softmax(logits, dim=-1).gather(-1, actions[..., None])[..., 0]  # [B, T]
    discount = gamma ** torch.arange(T, dtype=targets.dtype)
    weight = torch.where(alive, targets[:, :1] - values.detach(), 0)
    return -(weight * chosen).sum(dim=1).mean(), ((values - targets)[alive] ** 2).mean()
