# misconception: you used one beta for all images; each has its own step
def q_posterior(x0, xt, t, betas):
    table = cumulative_alphas(betas)
    before = torch.cat([torch.ones_like(table[:1]), table[:-1]])
    beta, now, earlier = (values[t[0] - 1].reshape([1] * xt.ndim).expand(len(xt), *[1] * (xt.ndim - 1)) for values in (betas, table, before))
    mean = (earlier.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - earlier) * xt) / (1 - now)
    return mean, beta * (1 - earlier) / (1 - now)
