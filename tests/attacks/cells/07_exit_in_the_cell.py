# attack: ends the cell with exit()
def standardize(x, eps=0.0):
    return torch.zeros_like(x)


exit()
