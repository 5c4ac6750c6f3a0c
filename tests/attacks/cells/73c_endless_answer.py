# attack: returns a list of ten million numbers
def standardize(x, eps=0.0):
    return list(range(10_000_000))
