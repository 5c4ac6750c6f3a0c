# misconception: you used ndtr, which loses small probabilities to rounding
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return torch.special.ndtr(-m / sd)
