# misconception: you ranked all rewards of the batch together; rank within each document
def spearman(rewards):
    K = rewards.shape[1]
    flat = rewards.flatten()
    ranks = (flat[None] < flat[:, None]).double().sum(1) + ((flat[None] == flat[:, None]).double().sum(1) + 1) / 2
    a = ranks.reshape(-1, K)
    a = a - a.mean(dim=1, keepdim=True)
    b = torch.arange(K, 0, -1, dtype=torch.float64) - (K + 1) / 2
    size = a.norm(dim=1) * b.norm()
    return torch.where(size > 0, (a * b).sum(dim=1) / size.clamp(min=1e-12), 0.0).mean()
