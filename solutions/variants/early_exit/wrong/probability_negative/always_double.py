# misconception: you returned float64 for float32 inputs; the result has the data type of m
def probability_negative(m, k):
    variance = torch.as_tensor(tail_variance(k), dtype=torch.float64)
    return torch.erfc(m / (2 * variance.reshape(-1)).sqrt()) / 2
