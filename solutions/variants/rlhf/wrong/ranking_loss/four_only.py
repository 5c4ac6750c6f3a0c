# misconception: you wrote it for four summaries only
def ranking_loss(grouped_rewards):
    r = grouped_rewards
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    return -torch.stack([F.logsigmoid(r[:, i] - r[:, j]) for i, j in pairs if j < r.shape[1]]).mean()
