# alternative: a centred rank is half the sum of the signs of the differences
def spearman(rewards):
    a = (rewards.unsqueeze(2) - rewards.unsqueeze(1)).sign().sum(dim=2) / 2
    b = torch.linspace(1, -1, rewards.shape[1])
    return F.cosine_similarity(a.double(), b.double().expand_as(a), dim=1).mean()
