# misconception: you replaced nan after the mean over the rows: one row of equal rewards makes the whole mean nan
def spearman(rewards):
    K = rewards.shape[1]
    smaller = (rewards[:, None, :] < rewards[:, :, None]).double().sum(dim=2)
    equal = (rewards[:, None, :] == rewards[:, :, None]).double().sum(dim=2)
    a = smaller + (equal + 1) / 2 - (K + 1) / 2
    b = torch.arange(K, 0, -1).double() - (K + 1) / 2
    return ((a * b).sum(dim=1) / (a.norm(dim=1) * b.norm())).mean().nan_to_num(0.0)
