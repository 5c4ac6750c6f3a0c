# misconception: you added a 1 that does not belong there: the variance of the rest is 2 * 2^-k, not 1 minus that
def tail_variance(k):
    return 1 - 2 * 0.5**k
