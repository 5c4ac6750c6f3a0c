# misconception: you ranked the first document only
def ranking_loss(grouped_rewards):
    row = grouped_rewards[0]
    i, j = torch.triu_indices(len(row), len(row), offset=1)
    return -F.logsigmoid(row[i] - row[j]).mean()
