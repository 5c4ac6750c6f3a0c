# alternative: alpha_bar_{t-1} as alpha_bar_t divided by gamma_t
def q_posterior(x0, xt, t, betas):
    beta, now = per_image(betas[t - 1], xt), per_image(cumulative_alphas(betas)[t - 1], xt)
    earlier = now / (1 - beta)
    mean = (earlier.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - earlier) * xt) / (1 - now)
    return mean, beta * (1 - earlier) / (1 - now)
