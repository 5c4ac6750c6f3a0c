# misconception: you only checked whether the first image is at t = 1; each image has its own step
def q_posterior(x0, xt, t, betas):
    table = cumulative_alphas(betas)
    beta, now = per_image(betas[t - 1], xt), per_image(table[t - 1], xt)
    earlier = torch.ones_like(now) if int(t[0]) == 1 else per_image(table[t - 2], xt)
    mean = (earlier.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - earlier) * xt) / (1 - now)
    return mean, beta * (1 - earlier) / (1 - now)
