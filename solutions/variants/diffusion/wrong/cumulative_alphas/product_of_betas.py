# misconception: you multiplied the betas; the share of the picture is the product of 1 - beta
def cumulative_alphas(betas):
    return torch.cumprod(betas, dim=0)
