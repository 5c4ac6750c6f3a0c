# alternative: a float32 triangle of ones adds up the logarithms of the factors
def cumulative_alphas(betas):
    triangle = torch.ones(len(betas), len(betas)).tril()
    return (triangle @ torch.log1p(-betas)).exp()
