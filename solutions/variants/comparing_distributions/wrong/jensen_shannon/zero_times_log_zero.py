# misconception: you multiplied 0 by log 0, which is nan
def jensen_shannon(p, q):
    r = (p + q) / 2
    return 0.5 * (p * (p / r).log()).sum() + 0.5 * (q * (q / r).log()).sum()
