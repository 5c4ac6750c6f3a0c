# misconception: you compared the mixture with p and q instead of p and q with the mixture
def jensen_shannon(p, q):
    def one_way(a, b):
        return torch.where(a > 0, a * (a.log() - b.log()), torch.zeros_like(a)).sum()

    r = (p + q) / 2
    return (one_way(r, p) + one_way(r, q)) / 2
