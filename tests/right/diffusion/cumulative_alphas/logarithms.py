# alternative: adds logarithms
def cumulative_alphas(betas):
    return torch.exp(torch.cumsum(torch.log1p(-betas), dim=0))
