# misconception: each of your two distributions gives some probability to an outcome that is impossible under the other, so both divergences are infinite
def asymmetric_pair():
    return torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.5, 0.5])
