# misconception: you added the betas up; the factors multiply
def cumulative_alphas(betas):
    return 1 - torch.cumsum(betas, dim=0)
