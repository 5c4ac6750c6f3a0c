# alternative: draws under no_grad with a forward pass of its own, and clears the gradients after the step, also before the first
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    optimizer.zero_grad()
    for _ in range(steps):
        with torch.no_grad():
            actions = torch.distributions.Categorical(logits=model(x), validate_args=False).sample()
        rewards = reward_oracle(x, actions)
        logits = model.forward(x)
        log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
        loss = -(rewards * log_taken).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        history.append(float(rewards.mean()))
    return history
