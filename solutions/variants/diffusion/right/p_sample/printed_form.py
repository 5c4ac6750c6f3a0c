# alternative: the form that is often printed, without x_0
def p_sample(model, xt, t, betas, noise):
    beta, table = per_image(betas[t - 1], xt), cumulative_alphas(betas)
    left = per_image(table[t - 1], xt)
    before = per_image(torch.cat([torch.ones_like(table[:1]), table[:-1]])[t - 1], xt)
    mean = (xt - beta / (1 - left).sqrt() * model(xt, t)) / (1 - beta).sqrt()
    deviation = (beta * (1 - before) / (1 - left)).sqrt()
    return mean + torch.where(per_image(t, xt) > 1, deviation * noise, torch.zeros_like(xt))
