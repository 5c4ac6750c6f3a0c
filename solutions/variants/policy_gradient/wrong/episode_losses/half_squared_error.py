# misconception: your value loss has a factor 1/2
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
    weight = torch.where(alive, discount * (targets - values.detach()), 0)
    return -(weight * chosen).sum(dim=1).mean(), 0.5 * ((values - targets)[alive] ** 2).mean()
