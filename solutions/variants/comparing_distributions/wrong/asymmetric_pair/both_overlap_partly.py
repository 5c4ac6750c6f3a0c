# misconception: each of your two distributions shows something that the other calls impossible, so both divergences are infinite
def asymmetric_pair():
    return torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.5, 0.5])
