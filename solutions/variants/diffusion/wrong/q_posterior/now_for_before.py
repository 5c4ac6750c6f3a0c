# misconception: the factor of xt must have 1 - alpha_bar_{t-1}, not 1 - alpha_bar_t
def q_posterior(x0, xt, t, betas):
    table = cumulative_alphas(betas)
    before = torch.cat([torch.ones_like(table[:1]), table[:-1]])
    beta, now, earlier = (per_image(values[t - 1], xt) for values in (betas, table, before))
    mean = (earlier.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - now) * xt) / (1 - now)
    return mean, beta * (1 - earlier) / (1 - now)
