# misconception: you drew the actions from the policy of the step before
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    old = model(x).detach()
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(old.softmax(-1), 1)[:, 0]
        old = logits.detach()
        rewards = reward_oracle(x, actions)
        log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
        loss = -((rewards - rewards.mean()) * log_taken).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
