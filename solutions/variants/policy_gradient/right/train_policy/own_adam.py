# alternative: Adam is written out
def train_policy(model, x, reward_oracle, steps, lr):
    weights = list(model.parameters())
    means = [torch.zeros_like(weight) for weight in weights]
    squares = [torch.zeros_like(weight) for weight in weights]
    history = []
    for step in range(1, steps + 1):
        logits = model(x)
        actions = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
        rewards = reward_oracle(x, actions)
        log_taken = torch.log_softmax(logits, -1).gather(-1, actions[:, None])[:, 0]
        loss = -(rewards * log_taken).mean()
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient, mean, square in zip(weights, gradients, means, squares, strict=True):
                mean.mul_(0.9).add_(gradient, alpha=0.1)
                square.mul_(0.999).add_(gradient**2, alpha=0.001)
                size = mean / (1 - 0.9**step)
                weight -= lr * size / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
        history.append(float(rewards.mean()))
    return history
