# alternative: a die without sixes and a fair one
def asymmetric_pair():
    return torch.tensor([0.2] * 5 + [0.0]), torch.full((6,), 1 / 6)
