# misconception: you ranked equal rewards in their order of position
def spearman(rewards):
    K = rewards.shape[1]
    a = rewards.argsort(dim=1, stable=True).argsort(dim=1).double() - (K - 1) / 2
    b = torch.arange(K - 1, -1, -1, dtype=torch.float64) - (K - 1) / 2
    return ((a * b).sum(dim=1) / b.square().sum()).mean()
