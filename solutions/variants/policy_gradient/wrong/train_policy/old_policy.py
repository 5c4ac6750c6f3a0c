# misconception: you drew all actions from the policy as it was at the start
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    first = model(x).detach().softmax(-1)
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(first, 1)[:, 0]
        rewards = reward_oracle(x, actions)
        loss = -(rewards * torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
