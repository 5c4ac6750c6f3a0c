# misconception: at t = 1 you used the last entry of the table instead of alpha_bar_0, which is 1
def q_posterior(x0, xt, t, betas):
    table = cumulative_alphas(betas)
    beta, now, earlier = (per_image(values, xt) for values in (betas[t - 1], table[t - 1], table[t - 2]))
    mean = (earlier.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - earlier) * xt) / (1 - now)
    return mean, beta * (1 - earlier) / (1 - now)
