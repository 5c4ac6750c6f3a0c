# misconception: you imitated the actions whose reward is at least the mean, all with the same weight
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        good = rewards >= rewards.mean()
        loss = nn.functional.cross_entropy(logits[good], actions[good])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
