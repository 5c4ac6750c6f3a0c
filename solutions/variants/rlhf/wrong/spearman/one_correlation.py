# misconception: you took one correlation over all rows instead of the mean of the rows' correlations
def spearman(rewards):
    N, K = rewards.shape
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = (smaller + (equal + 1) / 2 - (K + 1) / 2).flatten()
    b = (torch.arange(K, 0, -1, dtype=torch.float64) - (K + 1) / 2).repeat(N)
    size = a.norm() * b.norm()
    return (a * b).sum() / size if size > 0 else torch.tensor(0.0)
