# misconception: you forgot the root of 2 that belongs between erfc and the normal distribution
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return 0.5 * torch.erfc(m / sd)
