# misconception: you used a very small probability instead of 0; the divergence is then large, but finite
def asymmetric_pair():
    return torch.tensor([1.0 - 1e-6, 1e-6]), torch.tensor([0.5, 0.5])
