# misconception: you divided by the sample standard deviation of the rewards, which is undefined for a single point
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        loss = -(((rewards - rewards.mean()) / (rewards.std() + 1e-8)) * torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
