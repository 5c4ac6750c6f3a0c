# alternative: products along the rows of a lower triangle
def cumulative_alphas(betas):
    T = len(betas)
    factors = torch.where(torch.ones(T, T).tril().bool(), 1 - betas, torch.ones(()))
    return factors.prod(dim=1)
