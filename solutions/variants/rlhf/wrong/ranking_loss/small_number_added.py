# misconception: you added a small number inside the logarithm, which hides large mistakes
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    return -torch.log(torch.sigmoid(grouped_rewards[:, i] - grouped_rewards[:, j]) + 1e-8).mean()
