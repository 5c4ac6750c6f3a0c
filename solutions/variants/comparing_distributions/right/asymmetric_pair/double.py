# alternative: float64, and zeros in both at the same place
def asymmetric_pair():
    p = torch.tensor([0.0, 0.3, 0.7, 0.0], dtype=torch.float64)
    q = torch.tensor([0.0, 0.2, 0.3, 0.5], dtype=torch.float64)
    return p, q
