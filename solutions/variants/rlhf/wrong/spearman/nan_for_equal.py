# misconception: you divide 0 by 0 where all rewards of a row are equal
def spearman(rewards):
    K = rewards.shape[1]
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = smaller + (equal + 1) / 2 - (K + 1) / 2
    b = torch.arange(K, 0, -1, dtype=torch.float64) - (K + 1) / 2
    size = a.norm(dim=1) * b.norm()
    rho = (a * b).sum(dim=1) / size
    return rho.mean()
