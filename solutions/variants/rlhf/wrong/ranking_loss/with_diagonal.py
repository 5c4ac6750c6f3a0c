# misconception: you also compared each summary with itself
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K)
    return -F.logsigmoid(grouped_rewards[:, i] - grouped_rewards[:, j]).mean()
