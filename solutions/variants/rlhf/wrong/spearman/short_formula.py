# misconception: you used the short formula, which is wrong where rewards are equal
def spearman(rewards):
    K = rewards.shape[1]
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = smaller + (equal + 1) / 2
    b = torch.arange(K, 0, -1, dtype=torch.float64)
    rho = 1 - 6 * (a - b).square().sum(dim=1) / (K * (K * K - 1))
    rho = torch.where((equal == K).all(dim=1), 0.0, rho)
    return rho.mean()
