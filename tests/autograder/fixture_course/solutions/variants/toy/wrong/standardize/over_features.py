# misconception: you took mean and variance over the features of each sample instead of over the batch
def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:
    mu = x.mean(dim=1, keepdim=True)
    return (x - mu) / torch.sqrt(((x - mu) ** 2).mean(dim=1, keepdim=True) + eps)
