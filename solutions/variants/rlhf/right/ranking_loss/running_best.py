# alternative: each summary against all that follow it, collected in a list
def ranking_loss(grouped_rewards):
    losses = []
    for k in range(grouped_rewards.size(-1) - 1):
        losses.append(torch.logaddexp(grouped_rewards[:, k + 1 :] - grouped_rewards[:, k : k + 1], torch.zeros(())))
    return torch.cat(losses, dim=1).mean()
