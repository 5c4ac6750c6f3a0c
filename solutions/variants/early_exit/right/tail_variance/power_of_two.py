# alternative: 2 to the power of 1 - k
def tail_variance(k):
    return 2.0 ** (1 - k)
