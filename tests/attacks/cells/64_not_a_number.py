# attack: answers NaN everywhere
def standardize(x, eps=0.0):
    return x * float("nan")
