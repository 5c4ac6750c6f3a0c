# misconception: your table begins with alpha_bar_0 = 1; index 0 belongs to t = 1
def cumulative_alphas(betas):
    return torch.cat([torch.ones_like(betas[:1]), torch.cumprod(1 - betas, dim=0)[:-1]])
