# misconception: you used the geometric mean as the mixture
def jensen_shannon(p, q):
    def one_way(a, b):
        return torch.where(a > 0, a * (a.log() - b.log()), torch.zeros_like(a)).sum()

    r = (p * q).sqrt()
    r = r / r.sum()
    return (one_way(p, r) + one_way(q, r)) / 2
