# misconception: you averaged the rewards over the documents first and ranked the averages
def spearman(rewards):
    K = rewards.shape[1]
    row = rewards.double().mean(dim=0)
    a = (row[None, :] < row[:, None]).double().sum(dim=1) + ((row[None, :] == row[:, None]).double().sum(dim=1) + 1) / 2
    a = a - a.mean()
    b = torch.arange(K, 0, -1).double() - (K + 1) / 2
    return (a @ b) / (a.norm() * b.norm()).clamp(min=1e-12)
