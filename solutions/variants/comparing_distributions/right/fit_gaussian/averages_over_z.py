# alternative: x = m + s z with fixed z and their weights, log p interpolated between the grid's points
def fit_gaussian(log_p, grid, direction):
    x, log_p = grid.double(), log_p.double() - log_p.double().max()
    p = log_p.exp() / log_p.exp().sum()
    mean = (p * x).sum()
    std = (p * (x - mean) ** 2).sum().sqrt()
    if direction == "forward":
        return mean, std
    z = torch.linspace(-6, 6, 801, dtype=torch.float64)
    weights = torch.softmax(-(z**2) / 2, 0)

    def objective(m, s):
        place = ((m[:, None] + s[:, None] * z - x[0]) / (x[1] - x[0])).clamp(0, len(x) - 1.001)
        left = place.detach().floor().long()
        between = log_p[left] + (place - left) * (log_p[left + 1] - log_p[left])
        return -s.log() - (weights * between).sum(-1)

    starts = torch.cat([x[log_p.argmax()][None], mean + std * torch.linspace(-1, 1, 5, dtype=x.dtype)])
    ends = descend(objective, starts, (std / 4).expand(6))[:, -1]
    return ends[objective(ends[:, 0], ends[:, 1]).argmin()]
