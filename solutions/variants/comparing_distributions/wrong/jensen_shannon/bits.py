# misconception: you used the logarithm to base 2; the divergence must be in nats
def jensen_shannon(p, q):
    def one_way(a, b):
        return torch.where(a > 0, a * (a.log() - b.log()), torch.zeros_like(a)).sum()

    r = (p + q) / 2
    return (one_way(p, r) + one_way(q, r)) / 2 / math.log(2)
