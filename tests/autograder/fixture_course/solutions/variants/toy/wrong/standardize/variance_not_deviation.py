# misconception: you divided by the variance instead of its square root, the standard deviation
def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:
    mu = x.mean(dim=0, keepdim=True)
    return (x - mu) / (((x - mu) ** 2).mean(dim=0, keepdim=True) + eps)
