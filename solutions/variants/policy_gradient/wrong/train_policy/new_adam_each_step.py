# misconception: you made a new Adam in each step, so its running averages are lost and every step has the same size
def train_policy(model, x, reward_oracle, steps, lr):
    history = []
    for _ in range(steps):
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        loss = -(rewards * torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
