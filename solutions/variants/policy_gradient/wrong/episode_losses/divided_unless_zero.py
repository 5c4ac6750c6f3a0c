# misconception: you divided by powers of gamma, which are rounded to 0 in a long episode
def episode_losses(logits, values, actions, rewards, alive, gamma):
    paid = (rewards * alive).detach()
    discount = gamma ** torch.arange(rewards.shape[1], dtype=rewards.dtype)
    targets = paid if gamma == 0 else (paid * discount).flip(1).cumsum(1).flip(1) / discount
    chosen = torch.log_softmax(logits, dim=-1).gather(-1, actions[..., None])[..., 0]
    weight = discount * (targets - values.detach()) * alive
    return -(weight * chosen).sum(1).mean(), ((values - targets)[alive] ** 2).mean()
