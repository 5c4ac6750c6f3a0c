# alternative: a float32 matrix with +1 and -1 takes all differences at once
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    pairs = [(i, j) for i in range(K) for j in range(i + 1, K)]
    signs = torch.zeros(len(pairs), K)
    for row, (better, worse) in enumerate(pairs):
        signs[row, better], signs[row, worse] = 1.0, -1.0
    return F.softplus(-(signs @ grouped_rewards.T)).mean()
