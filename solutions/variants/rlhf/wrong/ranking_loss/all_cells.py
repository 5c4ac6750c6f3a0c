# misconception: you took the mean over all cells of the K x K matrix instead of over the pairs
def ranking_loss(grouped_rewards):
    r = grouped_rewards
    K = r.shape[1]
    losses = -F.logsigmoid(r[:, :, None] - r[:, None, :])
    keep = torch.triu(torch.ones(K, K), diagonal=1)
    return (losses * keep).mean()
