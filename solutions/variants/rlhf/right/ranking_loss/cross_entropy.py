# alternative: a binary cross-entropy with logits whose targets are all 1
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    pairs = torch.combinations(torch.arange(K), 2)
    differences = grouped_rewards[:, pairs[:, 0]] - grouped_rewards[:, pairs[:, 1]]
    return F.binary_cross_entropy_with_logits(differences, torch.ones_like(differences))
