# misconception: you divided the given sums by the standard deviation in place: the caller still needs them
def probability_negative(m, k):
    m /= tail_variance(k) ** 0.5
    return 0.5 * torch.erfc(m / math.sqrt(2))
