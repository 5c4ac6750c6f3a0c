# attack: every answer is infinite
def standardize(x, eps=0.0):
    return x * float("inf")
