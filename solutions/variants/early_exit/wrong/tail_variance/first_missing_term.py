# misconception: you took the variance of the next term only; all later ones are missing, too
def tail_variance(k):
    return 0.5**k
