# misconception: you added up deviations; it is the variances of independent terms that add up
def tail_variance(k):
    return 0.5 ** (k / 2) / (1 - 0.5**0.5)
