# misconception: you used 1 + erf (as Normal.cdf and ndtr do), which loses small probabilities to rounding
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return torch.distributions.Normal(torch.zeros_like(m), sd.expand_as(m)).cdf(-m)
