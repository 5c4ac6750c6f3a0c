# alternative: a linear network that predicts the rewards from x is the baseline; it learns in the same loop
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    network = nn.Linear(x.shape[1], 1)
    learner = torch.optim.SGD(network.parameters(), lr=1e-2)
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
        value = network(x)[:, 0]
        loss = -((rewards - value.detach()) * log_taken).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        learner.zero_grad()
        ((value - rewards) ** 2).mean().backward()
        learner.step()
        history.append(float(rewards.mean()))
    return history
