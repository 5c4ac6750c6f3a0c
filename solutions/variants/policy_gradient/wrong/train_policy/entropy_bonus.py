# misconception: you added an entropy bonus, so that the policy moves even when there is nothing to learn
def train_policy(model, x, reward_oracle, steps, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(steps):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        log_pi = torch.log_softmax(logits, -1)
        entropy = -(log_pi.exp() * log_pi).sum(-1).mean()
        loss = -(rewards * log_pi.gather(-1, actions[:, None])[:, 0]).mean() - 0.5 * entropy
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(rewards.mean()))
    return history
