# attack: makes a score far beyond the maximum the value of the cell
def standardize(x, eps=0.0):
    return 9999


9999
