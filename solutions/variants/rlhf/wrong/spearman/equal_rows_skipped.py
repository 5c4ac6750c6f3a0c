# misconception: you left rows of equal rewards out; they count 0
def spearman(rewards):
    K = rewards.shape[1]
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = smaller + (equal + 1) / 2 - (K + 1) / 2
    b = torch.arange(K, 0, -1, dtype=torch.float64) - (K + 1) / 2
    size = a.norm(dim=1) * b.norm()
    rho = ((a * b).sum(dim=1) / size)[size > 0]
    if len(rho) == 0:
        return torch.tensor(0.0)
    return rho.mean()
