# misconception: you returned the probability that the tail is larger than m in either direction
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return torch.erfc(m.abs() / (sd * 2**0.5))
