# misconception: you subtracted the mean from the given rewards in place
def ranking_loss(grouped_rewards):
    with torch.no_grad():
        grouped_rewards.detach().sub_(grouped_rewards.mean(dim=1, keepdim=True))
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    return -F.logsigmoid(grouped_rewards[:, i] - grouped_rewards[:, j]).mean()
