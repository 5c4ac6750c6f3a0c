# misconception: you took the logarithm of a sigmoid in double precision: it is still rounded to 0, only a little later
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    wide = grouped_rewards.double()
    return -torch.log(torch.sigmoid(wide[:, i] - wide[:, j])).mean().to(grouped_rewards.dtype)
