# alternative: a loop over the samples with the math library
def probability_negative(m, k):
    ks = torch.as_tensor(k).expand(len(m)).tolist()
    values = [0.5 * math.erfc(a / math.sqrt(2 * float(tail_variance(b)))) for a, b in zip(m.tolist(), ks)]
    return torch.tensor(values, dtype=m.dtype)
