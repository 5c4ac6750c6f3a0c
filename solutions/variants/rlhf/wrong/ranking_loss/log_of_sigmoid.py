# misconception: you took the logarithm of a sigmoid that is rounded to 0
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    return -torch.log(torch.sigmoid(grouped_rewards[:, i] - grouped_rewards[:, j])).mean()
