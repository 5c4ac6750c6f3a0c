# attack: calls itself without end
def standardize(x, eps=0.0):
    return standardize(x, eps)
