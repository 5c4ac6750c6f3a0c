# alternative: the two functions written before, no baseline
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        actions = sample_actions(logits)
        rewards = reward_oracle(x, actions)
        loss = policy_gradient_loss(logits, actions, rewards)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
