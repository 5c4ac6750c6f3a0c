# alternative: an outcome impossible under both, and whole numbers in p
def asymmetric_pair():
    return torch.tensor([0, 1, 0]), torch.tensor([0.0, 0.5, 0.5])
