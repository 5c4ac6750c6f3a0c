# misconception: you returned logarithms of probabilities
def asymmetric_pair():
    return torch.tensor([0.0, -math.inf]), torch.tensor([0.5, 0.5]).log()
