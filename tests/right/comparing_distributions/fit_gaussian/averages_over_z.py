# alternative: x = m + s z with fixed z and their weights, log p interpolated between the grid's points
def fit_gaussian(log_p, grid, direction):
    x, lp = grid.double(), log_p.double() - log_p.double().max()
    w = lp.exp() / lp.exp().sum()
    m = (w * x).sum()
    s = (w * (x - m) ** 2).sum().sqrt()
    if direction == "forward":
        return m, s
    e = torch.linspace(-6, 6, 801, dtype=torch.float64)
    we = torch.softmax(-e**2 / 2, 0)
    lo, dx = x[0], x[1] - x[0]
    def F(mm, ss):
        z = mm[:, None] + ss[:, None] * e
        i = ((z - lo) / dx).clamp(0, len(x) - 1.001)
        k = i.detach().floor().long()
        v = lp[k] + (i - k) * (lp[k + 1] - lp[k])
        return -ss.log() - (we * v).sum(-1)
    starts = torch.cat([x[lp.argmax()][None], m + s * torch.linspace(-1, 1, 5, dtype=x.dtype)])
    end = descend(F, starts, (s / 4).expand(6))[:, -1]
    return end[F(end[:, 0], end[:, 1]).argmin()]
