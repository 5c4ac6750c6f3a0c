# misconception: in the reverse direction you fixed the mean at that of the target and fitted the deviation only
def fit_gaussian(log_p, grid, direction):
    x, log_p = grid.double(), torch.log_softmax(log_p.double(), dim=0)
    p = log_p.exp()
    mean = (p * x).sum()
    std = (p * (x - mean) ** 2).sum().sqrt()
    if direction == "forward":
        return float(mean), float(std)

    def reverse_kl(m, s):
        m = mean + 0 * m
        log_q = torch.log_softmax(-0.5 * ((x - m[:, None]) / s[:, None]) ** 2, dim=-1)
        return (log_q.exp() * (log_q - log_p)).sum(-1)

    starts = mean + std * torch.linspace(-1.5, 1.5, 7, dtype=x.dtype)
    ends = descend(reverse_kl, starts, std.expand(7) / 3)[:, -1]
    best = ends[reverse_kl(ends[:, 0], ends[:, 1]).argmin()]
    return float(mean), float(best[1])
