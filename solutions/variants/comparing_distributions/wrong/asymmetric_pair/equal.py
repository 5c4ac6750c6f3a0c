# misconception: your two distributions are equal, so both divergences are 0
def asymmetric_pair():
    return torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0])
