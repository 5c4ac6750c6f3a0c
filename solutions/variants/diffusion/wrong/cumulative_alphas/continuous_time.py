# misconception: you used the exponential function, which is only the limit for tiny betas
def cumulative_alphas(betas):
    return torch.exp(-torch.cumsum(betas, dim=0))
