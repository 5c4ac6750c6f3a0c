# misconception: you returned the pair in the wrong order: KL(p || q) is infinite and KL(q || p) finite
def asymmetric_pair():
    return torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
