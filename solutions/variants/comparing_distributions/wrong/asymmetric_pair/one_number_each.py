# misconception: you gave the probability of heads only: a distribution lists all its outcomes
def asymmetric_pair():
    return torch.tensor([1.0]), torch.tensor([0.5])
