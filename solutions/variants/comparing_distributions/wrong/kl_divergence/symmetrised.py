# misconception: you averaged the two directions; KL(p || q) is only one of them
def kl_divergence(p, q):
    def one_way(a, b):
        return torch.where(a > 0, a * (a.log() - b.log()), torch.zeros_like(a)).sum()

    return (one_way(p, q) + one_way(q, p)) / 2
