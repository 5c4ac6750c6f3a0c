# misconception: you sorted the rewards that were given: the order is the rater's, not yours to choose
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    ordered = grouped_rewards.sort(dim=1, descending=True).values
    return -F.logsigmoid(ordered[:, i] - ordered[:, j]).mean()
