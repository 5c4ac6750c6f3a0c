# misconception: you took the tail after k + 1 terms
def probability_negative(m, k):
    v = torch.as_tensor(tail_variance(k + 1), dtype=m.dtype)
    return 0.5 * torch.erfc(m / (2 * v).sqrt())
