# misconception: you divided by the variance of the tail; divide by its square root
def probability_negative(m, k):
    v = torch.as_tensor(tail_variance(k), dtype=m.dtype)
    return 0.5 * torch.erfc(m / (v * 2**0.5))
