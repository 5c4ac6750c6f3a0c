# alternative: the series, added up term by term
def tail_variance(k):
    return sum(0.5 ** (k + i) for i in range(60))
