# alternative: a matrix of powers of gamma, from each step to each later one
def episode_losses(logits, values, actions, rewards, alive, gamma):
    steps = torch.arange(rewards.shape[1])
    apart = steps[None, :] - steps[:, None]  # [from, to]
    powers = torch.where(apart >= 0, float(gamma) ** apart.clamp(min=0).to(logits.dtype), 0)
    gains = (rewards * alive).detach() @ powers.T
    advantage = gains - values.detach()
    log_pi = torch.distributions.Categorical(logits=logits, validate_args=False).log_prob(actions)
    policy_loss = -((advantage * powers[0] * log_pi) * alive).sum() / len(rewards)
    return policy_loss, torch.nn.functional.mse_loss(values[alive], gains[alive])
