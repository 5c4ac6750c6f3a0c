# misconception: you started one search only, at the highest peak; a narrow peak can hold little of the probability
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
        return (log_q.exp() * (log_q - log_p)).sum(-1)

    starts = x[log_p.argmax()][None]
    stds = std[None] / 20
    ends = descend(reverse_kl, starts, stds)[:, -1]
    best = ends[reverse_kl(ends[:, 0], ends[:, 1]).argmin()]
    return float(best[0]), float(best[1])
