# misconception: you used p + q as the mixture; it must sum to 1, so halve it
def jensen_shannon(p, q):
    def one_way(a, b):
        return torch.where(a > 0, a * (a.log() - b.log()), torch.zeros_like(a)).sum()

    r = p + q
    return (one_way(p, r) + one_way(q, r)) / 2
