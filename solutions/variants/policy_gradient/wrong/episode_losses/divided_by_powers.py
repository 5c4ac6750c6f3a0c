# misconception: you divided by powers of gamma, which are 0 for gamma = 0
def episode_losses(logits, values, actions, rewards, alive, gamma):
    discount = gamma ** torch.arange(rewards.shape[1], dtype=rewards.dtype)
    paid = (rewards * alive).detach() * discount
    from_here = paid.flip(1).cumsum(1).flip(1)
    targets = from_here / discount
    chosen = torch.log_softmax(logits, dim=-1).gather(-1, actions[..., None])[..., 0]
    weight = (from_here - discount * values.detach()) * alive
    return -(weight * chosen).sum(1).mean(), ((values - targets)[alive] ** 2).mean()
