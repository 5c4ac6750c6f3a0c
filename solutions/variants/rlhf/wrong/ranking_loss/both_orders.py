# misconception: you counted each pair in both orders
def ranking_loss(grouped_rewards):
    r = grouped_rewards
    K = r.shape[1]
    losses = -F.logsigmoid(r[:, :, None] - r[:, None, :])
    return losses[:, ~torch.eye(K, dtype=torch.bool)].mean()
