# alternative: the same descent for both directions, the cross-entropy in place of the forward divergence
def fit_gaussian(log_p, grid, direction):
    x, log_p = grid.double(), torch.log_softmax(log_p.double(), dim=0)
    p = log_p.exp()
    mean = (p * x).sum()
    std = (p * (x - mean) ** 2).sum().sqrt()

    def objective(m, s):
        log_q = torch.log_softmax(-0.5 * ((x - m[:, None]) / s[:, None]) ** 2, dim=-1)
        if direction == "forward":
            return -(p * log_q).sum(-1)
        return (log_q.exp() * (log_q - log_p)).sum(-1)

    starts = torch.stack([x[log_p.argmax()], mean - std, mean, mean + std])
    ends = descend(objective, starts, (std / 4).expand(4))[:, -1]
    return tuple(ends[objective(ends[:, 0], ends[:, 1]).argmin()])
