# misconception: the probabilities of your distributions do not sum to 1
def asymmetric_pair():
    return torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
