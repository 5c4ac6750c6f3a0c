# misconception: you returned the probability that the sum is positive
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return 0.5 * torch.erfc(-m / (sd * 2**0.5))
