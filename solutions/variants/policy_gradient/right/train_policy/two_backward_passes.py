# alternative: each half of the rows has a forward and a backward pass of its own; the gradients are added
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        with torch.no_grad():
            actions = torch.multinomial(model(x).softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        optimizer.zero_grad()
        for some in torch.arange(len(x)).chunk(2):
            log_taken = torch.log_softmax(model(x[some]), -1).gather(-1, actions[some, None])[:, 0]
            (-((rewards - rewards.mean())[some] * log_taken).sum() / len(x)).backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
