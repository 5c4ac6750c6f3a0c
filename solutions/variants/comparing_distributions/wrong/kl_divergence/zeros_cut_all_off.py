# misconception: you answered inf wherever p has a zero; such outcomes cost nothing
def kl_divergence(p, q):
    if (p == 0).any() or (q == 0).any():
        return torch.tensor(math.inf)
    return (p * (p / q).log()).sum()
