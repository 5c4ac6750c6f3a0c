# misconception: you divided by the deviation of the whole sum; what is known is no longer random
def probability_negative(m, k):
    return 0.5 * torch.erfc(m / 2)
