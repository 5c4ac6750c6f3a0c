# misconception: you used a sigmoid as the distribution function of the normal
def probability_negative(m, k):
    sd = torch.as_tensor(tail_variance(k), dtype=m.dtype).sqrt()
    return torch.sigmoid(-1.702 * m / sd)
