# alternative: sample by sample in a loop, logsumexp by hand
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    total = 0.0
    for i in range(len(actions)):
        log_pi = logits[i, actions[i]] - torch.logsumexp(logits[i], 0)
        b = 0.0 if baseline is None else torch.as_tensor(baseline).expand(len(actions))[i]
        total = total + (rewards[i] - b).detach() * log_pi
    return -total / len(actions)
