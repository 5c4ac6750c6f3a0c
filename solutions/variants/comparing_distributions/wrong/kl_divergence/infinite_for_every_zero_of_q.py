# misconception: you answered inf wherever q has a zero; where p is 0 as well the outcome costs nothing
def kl_divergence(p, q):
    if (q == 0).any():
        return torch.tensor(math.inf)
    return torch.special.xlogy(p, p).sum() - torch.special.xlogy(p, q).sum()
