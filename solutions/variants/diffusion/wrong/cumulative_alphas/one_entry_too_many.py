# misconception: your table has T + 1 entries; alpha_bar_0 is not kept
def cumulative_alphas(betas):
    return torch.cat([torch.ones_like(betas[:1]), torch.cumprod(1 - betas, dim=0)])
