# misconception: you multiplied the last three factors only; all from the first on belong to the product
def cumulative_alphas(betas):
    a = torch.cat([torch.ones_like(betas[:2]), 1 - betas])
    return a[2:] * a[1:-1] * a[:-2]
