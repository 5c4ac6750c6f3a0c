# alternative: Adam on starts at nine quantiles of the target at once, with densities and the grid's spacing
def fit_gaussian(log_p, grid, direction):
    spacing = float(grid[1] - grid[0])
    log_p = (log_p - torch.logsumexp(log_p, 0) - math.log(spacing)).detach()
    weight = log_p.exp() * spacing
    if direction == "forward":
        mean = (weight * grid).sum()
        return mean, ((weight * grid**2).sum() - mean**2).sqrt()
    quantiles = torch.linspace(0.05, 0.95, 9, dtype=grid.dtype)
    mean = grid[torch.searchsorted(weight.cumsum(0), quantiles)].clone().requires_grad_()  # [9]
    log_std = torch.full((9,), math.log(20 * spacing), dtype=grid.dtype).requires_grad_()
    optimizer = torch.optim.Adam([mean, log_std], lr=0.05)

    def kl():
        log_q = torch.distributions.Normal(mean[:, None], log_std.exp()[:, None]).log_prob(grid)  # [9, N]
        return (log_q.exp() * (log_q - log_p)).sum(dim=1) * spacing

    for step in range(600):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * 0.995**step
        optimizer.zero_grad()
        kl().sum().backward()
        optimizer.step()
    best = int(kl().argmin())
    return mean.detach()[best], log_std.detach().exp()[best]
