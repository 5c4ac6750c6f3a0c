# misconception: you seeded the generator in each step, so that every step draws the same random numbers
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        generator = torch.Generator().manual_seed(0)
        actions = torch.multinomial(logits.detach().softmax(-1), 1, generator=generator)[:, 0]
        rewards = reward_oracle(x, actions)
        loss = -(rewards * torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
