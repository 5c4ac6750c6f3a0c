# misconception: you returned the pair the wrong way round: KL(p || q) is infinite and KL(q || p) finite
def asymmetric_pair():
    return torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
