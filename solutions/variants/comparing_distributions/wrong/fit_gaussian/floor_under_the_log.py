# misconception: you added a small number to p before the logarithm: where p is smaller than that number, the cost is too small
def fit_gaussian(log_p, grid, direction):
    x, log_p = grid.double(), torch.log_softmax(log_p.double(), dim=0)
    log_p = log_p.clamp(min=-1e8)
    p = log_p.exp()
    mean = (p * x).sum()
    std = (p * (x - mean) ** 2).sum().sqrt()
    if direction == "forward":
        return float(mean), float(std)

    def reverse_kl(m, s):
        log_q = torch.log_softmax(-0.5 * ((x - m[:, None]) / s[:, None]) ** 2, dim=-1)
        return (log_q.exp() * (log_q - (p + 1e-12).log())).sum(-1)

    starts = mean + std * torch.linspace(-1.5, 1.5, 7, dtype=x.dtype)
    stds = std.expand(7) / 3
    ends = descend(reverse_kl, starts, stds)[:, -1]
    best = ends[reverse_kl(ends[:, 0], ends[:, 1]).argmin()]
    return float(best[0]), float(best[1])
