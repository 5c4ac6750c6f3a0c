# alternative: mean and variance in a list
def q_posterior(x0, xt, t, betas):
    now = cumulative_alphas(betas)
    before = torch.cat((torch.ones(1), now))[t - 1]
    beta, now, before = (per_image(each, xt) for each in (betas[t - 1], now[t - 1], before))
    share = (1 - before) / (1 - now)
    return [before.sqrt() * beta / (1 - now) * x0 + (1 - beta).sqrt() * share * xt, beta * share]
