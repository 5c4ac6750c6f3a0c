# misconception: you took the root: alpha_bar is the square of the factor of the picture
def cumulative_alphas(betas):
    return torch.cumprod(1 - betas, dim=0).sqrt()
