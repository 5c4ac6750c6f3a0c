# alternative: the library function, with nan replaced
def spearman(rewards):
    from scipy.stats import rankdata

    ranks = torch.from_numpy(rankdata(rewards.double().numpy(), axis=1))
    ranks = ranks - ranks.mean(dim=1, keepdim=True)
    wanted = torch.arange(rewards.shape[1], 0, -1).double()
    wanted = (wanted - wanted.mean()).expand_as(ranks)
    return torch.nan_to_num(F.cosine_similarity(ranks, wanted, dim=1)).mean().item()
