# misconception: you leave out negative rewards; they count in full, and an action that is less bad than the others is good
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    mean_rewards = []
    for _ in range(steps):
        policy = torch.distributions.Categorical(logits=model(x))
        actions = policy.sample()
        rewards = reward_oracle(x, actions)
        loss = -(rewards.clamp(min=0) * policy.log_prob(actions)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean_rewards.append(float(rewards.mean()))
    return mean_rewards
