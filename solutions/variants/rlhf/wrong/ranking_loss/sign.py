# misconception: you left out the minus sign: the loss must be small when the order is right
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    return F.logsigmoid(grouped_rewards[:, i] - grouped_rewards[:, j]).mean()
