# misconception: your stable formula has no gradient where two rewards are equal, as at the start of the training
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    d = grouped_rewards[:, i] - grouped_rewards[:, j]
    return (F.relu(-d) + torch.log1p(torch.exp(-d.abs()))).mean()
