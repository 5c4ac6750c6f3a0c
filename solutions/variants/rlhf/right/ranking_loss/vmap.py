# alternative: one document at a time, with vmap
def ranking_loss(grouped_rewards):
    def of_one(row):
        d = row[:, None] - row[None, :]
        upper = torch.ones_like(d).triu(diagonal=1)
        return -(F.logsigmoid(d) * upper).sum() / upper.sum()

    return torch.vmap(of_one)(grouped_rewards).mean()
