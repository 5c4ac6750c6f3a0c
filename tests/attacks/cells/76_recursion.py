# attack: a function that calls itself for ever
def standardize(x, eps=0.0):
    return standardize(x, eps)
