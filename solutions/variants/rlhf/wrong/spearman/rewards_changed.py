# misconception: you changed the given rewards
def spearman(rewards):
    K = rewards.shape[1]
    rewards -= rewards.mean(dim=1, keepdim=True)
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = smaller + (equal + 1) / 2 - (K + 1) / 2
    b = torch.arange(K, 0, -1, dtype=torch.float64) - (K + 1) / 2
    size = a.norm(dim=1) * b.norm()
    return torch.where(size > 0, (a * b).sum(dim=1) / size.clamp(min=1e-12), 0.0).mean()
