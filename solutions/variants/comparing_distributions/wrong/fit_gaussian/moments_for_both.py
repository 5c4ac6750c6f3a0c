# misconception: you matched mean and deviation in both directions; that is the forward fit only
def fit_gaussian(log_p, grid, direction):
    x, log_p = grid.double(), torch.log_softmax(log_p.double(), dim=0)
    p = log_p.exp()
    mean = (p * x).sum()
    std = (p * (x - mean) ** 2).sum().sqrt()
    return float(mean), float(std)
