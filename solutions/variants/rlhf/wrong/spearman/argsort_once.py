# misconception: you used argsort as the ranks; equal rewards do not get their mean rank that way
def spearman(rewards):
    K = rewards.shape[1]
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = rewards.argsort(dim=1).double() + 1 - (K + 1) / 2
    a = torch.where((rewards == rewards[:, :1]).all(dim=1, keepdim=True), 0.0, a)
    b = torch.arange(K, 0, -1, dtype=torch.float64) - (K + 1) / 2
    size = a.norm(dim=1) * b.norm()
    rho = torch.where(size > 0, (a * b).sum(dim=1) / size.clamp(min=1e-12), 0.0)
    return rho.mean()
