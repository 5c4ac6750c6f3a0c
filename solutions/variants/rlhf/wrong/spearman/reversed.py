# misconception: you treated the last one as the best
def spearman(rewards):
    K = rewards.shape[1]
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = smaller + (equal + 1) / 2 - (K + 1) / 2
    b = torch.arange(1, K + 1, dtype=torch.float64) - (K + 1) / 2
    size = a.norm(dim=1) * b.norm()
    rho = torch.where(size > 0, (a * b).sum(dim=1) / size.clamp(min=1e-12), 0.0)
    return rho.mean()
