# attack: every answer is NaN
def standardize(x, eps=0.0):
    return x * float("nan")
