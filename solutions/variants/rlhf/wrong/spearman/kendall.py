# misconception: you computed Kendall's coefficient: the share of pairs in order minus that out of order
def spearman(rewards):
    K = rewards.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    return torch.sign(rewards[:, i] - rewards[:, j]).double().mean()
