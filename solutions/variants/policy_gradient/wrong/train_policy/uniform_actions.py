# misconception: you drew the actions with equal probability instead of from the policy
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        actions = torch.randint(logits.shape[-1], (len(x),))
        rewards = reward_oracle(x, actions)
        loss = -(rewards * torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
