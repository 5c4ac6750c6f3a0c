# misconception: you used the likelihood of the whole order (Plackett-Luce), not that of the pairs
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    terms = [grouped_rewards[:, k:].logsumexp(dim=1) - grouped_rewards[:, k] for k in range(K - 1)]
    return torch.stack(terms).mean()
