# alternative: the median of the step's rewards as baseline
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
        loss = -((rewards - rewards.median()) * log_taken).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
