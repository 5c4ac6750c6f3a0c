# misconception: you cut the gradient through mean and variance
def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:
    mu, spread = x.detach().mean(dim=0), x.detach().var(dim=0, unbiased=False)
    return (x - mu) / torch.sqrt(spread + eps)
