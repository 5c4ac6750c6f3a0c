# misconception: you left out the outcomes that are possible under only one of the two: these are the most informative
def jensen_shannon(p, q):
    both = (p > 0) & (q > 0)
    p, q = p[both], q[both]
    r = (p + q) / 2
    return ((p * (p / r).log()).sum() + (q * (q / r).log()).sum()) / 2
