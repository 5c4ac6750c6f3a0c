# alternative: the matrix of differences, with the upper triangle picked out
def ranking_loss(grouped_rewards):
    r = grouped_rewards
    K = r.shape[1]
    losses = -F.logsigmoid(r.unsqueeze(2) - r.unsqueeze(1))
    upper = torch.ones(K, K, device=r.device).triu(1).bool()
    return losses[:, upper].mean()
