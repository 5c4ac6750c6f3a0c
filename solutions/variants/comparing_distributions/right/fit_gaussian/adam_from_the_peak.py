# alternative: Adam on one start at the highest peak, with densities and the grid's spacing
def fit_gaussian(log_p, grid, direction):
    spacing = float(grid[1] - grid[0])
    log_p = (log_p - torch.logsumexp(log_p, 0) - math.log(spacing)).detach()
    if direction == "forward":
        weight = log_p.exp() * spacing
        mean = (weight * grid).sum()
        return mean, ((weight * grid**2).sum() - mean**2).sqrt()
    mean = grid[log_p.argmax()].clone().requires_grad_()
    log_std = torch.tensor(-1.0, dtype=grid.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([mean, log_std], lr=0.05)
    for _ in range(300):
        q = torch.distributions.Normal(mean, log_std.exp())
        log_q = q.log_prob(grid)
        loss = (log_q.exp() * (log_q - log_p)).sum() * spacing
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return mean.detach(), log_std.detach().exp()
