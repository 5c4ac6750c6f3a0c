# alternative: in single precision, with the pairs as a matrix product
def ranking_loss(grouped_rewards):
    n, k = grouped_rewards.shape
    pairs = list(itertools.combinations(range(k), 2))
    difference = torch.zeros(len(pairs), k)
    for row, (i, j) in enumerate(pairs):
        difference[row, i], difference[row, j] = 1.0, -1.0
    d = torch.einsum("pk,nk->np", difference, grouped_rewards.float())
    return F.softplus(-d).sum() / (n * len(pairs))
