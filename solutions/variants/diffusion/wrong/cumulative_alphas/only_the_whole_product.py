# misconception: you returned the product of all factors only
def cumulative_alphas(betas):
    return torch.prod(1 - betas).expand(len(betas)).clone()
