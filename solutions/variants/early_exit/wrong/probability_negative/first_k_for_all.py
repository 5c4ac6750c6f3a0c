# misconception: you used the k of the first sample for all of them
def probability_negative(m, k):
    k = torch.as_tensor(k).reshape(-1)[0]
    v = torch.as_tensor(tail_variance(k), dtype=m.dtype)
    return 0.5 * torch.erfc(m / (2 * v).sqrt())
