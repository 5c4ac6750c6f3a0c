# alternative: adds up the logarithms of the shares that stay
def cumulative_alphas(betas):
    return torch.exp(torch.cumsum(torch.log1p(-betas), dim=0))
