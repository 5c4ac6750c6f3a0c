# alternative: the mean of the ranks found from the left and from the right, a stable sort each
def spearman(rewards):
    up = rewards.argsort(dim=1, stable=True).argsort(dim=1)
    down = rewards.flip(1).argsort(dim=1, stable=True).argsort(dim=1).flip(1)
    ranks = (up + down).double() / 2
    N, K = rewards.shape
    rho = torch.zeros(N)
    for n in range(N):
        same = [[m for m in range(K) if rewards[n, m] == rewards[n, k]] for k in range(K)]
        a = torch.stack([ranks[n, places].mean() for places in same])
        a -= a.mean()
        b = torch.arange(K).flip(0) - (K - 1) / 2
        if a.any():
            rho[n] = (a * b).sum() / ((a**2).sum() * (b**2).sum()) ** 0.5
    return rho.mean()
