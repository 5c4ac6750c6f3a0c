# misconception: you stopped adding after ten terms, which is too early
def tail_variance(k):
    return sum(0.5 ** (k + i) for i in range(10))
