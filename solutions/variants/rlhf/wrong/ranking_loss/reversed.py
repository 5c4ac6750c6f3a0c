# misconception: you took the difference in the wrong order; the best one comes first
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    return -F.logsigmoid(grouped_rewards[:, j] - grouped_rewards[:, i]).mean()
