# misconception: you took the root: alpha_bar is the square of what survives
def cumulative_alphas(betas):
    return torch.cumprod(1 - betas, dim=0).sqrt()
