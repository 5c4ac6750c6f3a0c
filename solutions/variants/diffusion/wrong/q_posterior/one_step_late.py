# misconception: your tables are one step late: the numbers of step t have index t - 1
def q_posterior(x0, xt, t, betas):
    table = cumulative_alphas(betas)
    late = t.clamp(max=len(betas) - 1)
    beta, now, earlier = (per_image(values, xt) for values in (betas[late], table[late], table[t - 1]))
    mean = (earlier.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - earlier) * xt) / (1 - now)
    return mean, beta * (1 - earlier) / (1 - now)
