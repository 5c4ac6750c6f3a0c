# misconception: you began to add up with term k, which is known already
def tail_variance(k):
    return 4 * 0.5**k
