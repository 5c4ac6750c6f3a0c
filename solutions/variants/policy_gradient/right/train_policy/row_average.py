# alternative: the baseline of a row is the moving average of its own earlier rewards, and the rewards are divided by a moving deviation
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    old, spread = torch.zeros(len(x)), 1.0
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
        spread = 0.9 * spread + 0.1 * float(rewards.std(unbiased=False))
        loss = -((rewards - old) / (spread + 1e-3) * log_taken).mean()
        old = 0.9 * old + 0.1 * rewards
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
