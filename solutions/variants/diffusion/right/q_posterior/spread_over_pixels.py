# alternative: tables with a leading 1, and a variance spread over all pixels
def q_posterior(x0, xt, t, betas):
    table = torch.cat([torch.ones_like(betas[:1]), cumulative_alphas(betas)])
    gamma = per_image(1 - betas[t - 1], xt)
    now, earlier = per_image(table[t], xt), per_image(table[t - 1], xt)
    of_x0 = earlier.sqrt() * (1 - gamma) / (1 - now)
    of_xt = gamma.sqrt() * (1 - earlier) / (1 - now)
    return of_x0 * x0 + of_xt * xt, ((1 - gamma) * (1 - earlier) / (1 - now)).expand_as(xt)
