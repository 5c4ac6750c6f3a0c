# alternative: its own variance inside
def probability_negative(m, k):
    root = torch.sqrt(torch.as_tensor(4.0 * 0.5**k, dtype=m.dtype))
    return torch.erfc(m / root) / 2
