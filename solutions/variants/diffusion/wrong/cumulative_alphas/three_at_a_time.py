# misconception: you multiplied the last three factors only; the product has all factors from the first on
def cumulative_alphas(betas):
    a = torch.cat([torch.ones_like(betas[:2]), 1 - betas])
    return a[2:] * a[1:-1] * a[:-2]
