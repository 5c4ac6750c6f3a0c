# misconception: you multiplied the betas; what survives is the product of 1 - beta
def cumulative_alphas(betas):
    return torch.cumprod(betas, dim=0)
