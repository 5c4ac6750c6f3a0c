# misconception: you returned the standard deviation, the root of the variance
def tail_variance(k):
    return (2 * 0.5**k) ** 0.5
