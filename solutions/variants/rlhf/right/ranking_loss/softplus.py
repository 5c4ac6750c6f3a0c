# alternative: softplus of the reversed difference, in loops over pairs
def ranking_loss(grouped_rewards):
    K = grouped_rewards.shape[1]
    terms = [F.softplus(grouped_rewards[:, j] - grouped_rewards[:, i]) for i, j in itertools.combinations(range(K), 2)]
    return torch.stack(terms, dim=1).mean(dim=1).mean()
