# misconception: you returned the variance of the terms that are known; return that of the rest
def tail_variance(k):
    return 2 - 2 * 0.5**k
