# misconception: you used the cross-entropy of the best one among all, not the pairs
def ranking_loss(grouped_rewards):
    return F.cross_entropy(grouped_rewards, torch.zeros(len(grouped_rewards), dtype=torch.long))
