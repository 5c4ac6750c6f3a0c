# misconception: both divergences of your pair are finite, only unequal
def asymmetric_pair():
    return torch.tensor([0.9, 0.1]), torch.tensor([0.5, 0.5])
