# misconception: you used only the sign of the advantage, so a reward a little above the mean counts like a large one
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
        loss = -(torch.sign(rewards - rewards.mean()) * log_taken).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
