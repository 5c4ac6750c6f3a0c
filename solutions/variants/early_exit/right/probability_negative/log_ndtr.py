# alternative: the logarithm of the distribution function, taken back
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return torch.special.log_ndtr(-m / sd).exp()
