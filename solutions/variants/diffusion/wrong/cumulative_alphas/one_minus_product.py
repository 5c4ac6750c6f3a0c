# misconception: you returned the share of noise, 1 - alpha_bar
def cumulative_alphas(betas):
    return 1 - torch.cumprod(1 - betas, dim=0)
