# misconception: one of your probabilities is negative
def asymmetric_pair():
    return torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.75, 0.5, -0.25])
