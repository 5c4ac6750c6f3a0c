# misconception: you added up standard deviations; the variances of independent terms add up
def tail_variance(k):
    return 0.5 ** (k / 2) / (1 - 0.5**0.5)
