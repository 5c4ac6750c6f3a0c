# misconception: you used a margin instead of the log-probability of the ranking
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    return F.relu(1 - (grouped_rewards[:, i] - grouped_rewards[:, j])).mean()
