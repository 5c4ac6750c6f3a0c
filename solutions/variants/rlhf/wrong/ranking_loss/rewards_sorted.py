# misconception: you sorted the given rewards: their order is the ranking of the rater
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    ordered = grouped_rewards.sort(dim=1, descending=True).values
    return -F.logsigmoid(ordered[:, i] - ordered[:, j]).mean()
