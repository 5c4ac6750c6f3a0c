# alternative: the lowest place of a map of means and deviations, refined again and again
def fit_gaussian(log_p, grid, direction):
    x, log_p = grid.double(), torch.log_softmax(log_p.double(), dim=0)
    p = log_p.exp()
    mean, std = (p * x).sum(), (p * (x - (p * x).sum()) ** 2).sum().sqrt()
    if direction == "forward":
        return mean, std

    def reverse_kl(m, s):
        log_q = torch.log_softmax(-0.5 * ((x - m[:, None]) / s[:, None]) ** 2, dim=-1)
        return (log_q.exp() * (log_q - log_p)).sum(-1)

    best_mean, best_log, width, height = mean, std.log() - 1, 3 * std, 2.0
    for _ in range(8):
        means = best_mean + width * torch.linspace(-1, 1, 31, dtype=x.dtype)
        logs = best_log + height * torch.linspace(-1, 1, 31, dtype=x.dtype)
        table = torch.cartesian_prod(means, logs)
        values = torch.cat([reverse_kl(part[:, 0], part[:, 1].exp()) for part in table.split(200)])
        best_mean, best_log = table[values.argmin()]
        width, height = width / 3, height / 3
    return float(best_mean), math.exp(best_log)
