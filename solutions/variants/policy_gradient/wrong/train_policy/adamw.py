# misconception: you used AdamW, which also pulls all weights towards 0
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
        loss = -((rewards - rewards.mean()) * log_taken).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
