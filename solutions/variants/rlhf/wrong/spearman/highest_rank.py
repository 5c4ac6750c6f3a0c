# misconception: you gave equal rewards the highest of their ranks, not the mean
def spearman(rewards):
    K = rewards.shape[1]
    a = (rewards[:, None, :] <= rewards[:, :, None]).double().sum(dim=2)
    a = a - a.mean(dim=1, keepdim=True)
    b = torch.arange(K, 0, -1).double() - (K + 1) / 2
    return float(((a * b).sum(dim=1) / (a.norm(dim=1) * b.norm()).clamp(min=1e-12)).mean())
