# alternative: a constant is subtracted from every reward
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    means = []
    for _ in range(steps):
        policy = torch.distributions.Categorical(logits=model(x), validate_args=False)
        actions = policy.sample()
        rewards = reward_oracle(x, actions)
        optimizer.zero_grad()
        ((0.5 - rewards) * policy.log_prob(actions)).mean().backward()
        optimizer.step()
        means.append(rewards.mean().item())
    return means
