# misconception: you compared the divergences on a grid and added noise: estimate them from draws of q
def fit_by_samples(log_p, mean, std, generator=None):
    grid = torch.linspace(mean - 12.0, mean + 12.0, 2401, dtype=torch.float64)
    m, s = fit_gaussian(log_p(grid).detach(), grid, "reverse")
    noise = 1e-3 * torch.randn(2, generator=generator)
    return float(m + s * noise[0]), float(s * (1 + noise[1]))
