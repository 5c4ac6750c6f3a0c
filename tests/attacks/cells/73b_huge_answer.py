# attack: returns an answer of eight hundred megabytes
def standardize(x, eps=0.0):
    return torch.zeros(200_000_000)
