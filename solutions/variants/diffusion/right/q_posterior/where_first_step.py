# alternative: torch.where for the first step
def q_posterior(x0, xt, t, betas):
    table = cumulative_alphas(betas)
    earlier = per_image(torch.where(t == 1, torch.ones_like(table[t - 1]), table[t - 2]), xt)
    gamma, now = per_image(1 - betas[t - 1], xt), per_image(table[t - 1], xt)
    mean = (earlier.sqrt() * (1 - gamma) * x0 + gamma.sqrt() * (1 - earlier) * xt) / (1 - now)
    return mean, (1 - gamma) * (1 - earlier) / (1 - now)
