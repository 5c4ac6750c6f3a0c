# misconception: you divided by the standard deviation of the whole sum; the known terms are no longer random
def probability_negative(m, k):
    return 0.5 * torch.erfc(m / 2)
