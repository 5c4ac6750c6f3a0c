# misconception: at t = 1 you took the variance of t = 2; it is 0
def q_posterior(x0, xt, t, betas):
    table = cumulative_alphas(betas)
    before = torch.cat([torch.ones_like(table[:1]), table[:-1]])
    beta, now, earlier = (per_image(values[t - 1], xt) for values in (betas, table, before))
    mean = (earlier.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - earlier) * xt) / (1 - now)
    variance = beta * (1 - earlier) / (1 - now)
    second = (betas[1] * (1 - table[0]) / (1 - table[1])) if len(betas) > 1 else betas[0]
    return mean, torch.where(per_image(t, xt) == 1, second, variance)
