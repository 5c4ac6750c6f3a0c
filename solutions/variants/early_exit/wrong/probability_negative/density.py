# misconception: you returned the density of the normal distribution; return its distribution function
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return torch.exp(-0.5 * (m / sd) ** 2) / math.sqrt(2 * math.pi)
