# misconception: you compared summaries of different documents
def ranking_loss(grouped_rewards):
    r = grouped_rewards
    K = r.shape[1]
    i, j = torch.triu_indices(K, K, offset=1)
    return -F.logsigmoid(r[:, None, i] - r[None, :, j]).mean()
