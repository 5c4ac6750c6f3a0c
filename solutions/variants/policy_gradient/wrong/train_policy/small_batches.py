# misconception: you asked for the rewards of only a part of the points; each step must use all of them
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        rows = torch.randperm(len(x))[: max(1, len(x) // 2)]
        logits = model(x[rows])
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x[rows], actions)
        loss = -(rewards * torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
