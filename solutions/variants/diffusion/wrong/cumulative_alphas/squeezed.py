# misconception: a schedule of one step must give a table of one entry
def cumulative_alphas(betas):
    return torch.cumprod(1 - betas, dim=0).squeeze()
