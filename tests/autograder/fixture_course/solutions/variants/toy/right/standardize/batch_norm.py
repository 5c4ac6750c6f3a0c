# alternative: torch's own batch normalisation
def standardize(x: torch.Tensor, eps: float = EPS) -> torch.Tensor:
    return torch.nn.functional.batch_norm(x, None, None, training=True, eps=eps)
