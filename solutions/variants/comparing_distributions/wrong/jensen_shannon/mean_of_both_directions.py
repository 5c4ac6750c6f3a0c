# misconception: you averaged KL(p || q) and KL(q || p); compare each with the mixture
def jensen_shannon(p, q):
    def one_way(a, b):
        return torch.where(a > 0, a * (a.log() - b.log()), torch.zeros_like(a)).sum()

    return (one_way(p, q) + one_way(q, p)) / 2
