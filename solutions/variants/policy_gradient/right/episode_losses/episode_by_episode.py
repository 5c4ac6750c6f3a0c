# alternative: loops over the episodes and their steps
def episode_losses(logits, values, actions, rewards, alive, gamma):
    total, errors = 0.0, []
    for i, length in enumerate(alive.sum(dim=1).tolist()):
        after = 0.0
        for t in range(length - 1, -1, -1):
            after = rewards[i, t].item() + gamma * after
            log_pi = logits[i, t].log_softmax(dim=0)[actions[i, t]]
            total = total - gamma**t * (after - values[i, t].item()) * log_pi
            errors.append((values[i, t] - after) ** 2)
    return total / len(alive), sum(errors) / len(errors)
