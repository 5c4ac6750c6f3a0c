# misconception: you computed with whole numbers, which are 0 below 1
def tail_variance(k):
    return (2 * 0.5**k) // 1
