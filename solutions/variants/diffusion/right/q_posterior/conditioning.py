# alternative: conditions the joint normal of x_{t-1} and x_t
def q_posterior(x0, xt, t, betas):
    table = F.pad(cumulative_alphas(betas), (1, 0), value=1.0)
    spread_before, spread_now = (1 - per_image(table[t - n], xt) for n in (1, 0))
    together = per_image(1 - betas[t - 1], xt).sqrt() * spread_before
    mean = per_image(table[t - 1], xt).sqrt() * x0
    mean = mean + together / spread_now * (xt - per_image(table[t], xt).sqrt() * x0)
    return mean, spread_before - together**2 / spread_now
