# alternative: the step of DDIM with eta = 1
def p_sample(model, xt, t, betas, noise):
    table = torch.cat([torch.ones_like(betas[:1]), cumulative_alphas(betas)])
    now, before = per_image(table[t], xt), per_image(table[t - 1], xt)
    error = model(xt, t)
    sigma2 = (1 - before) / (1 - now) * (1 - now / before)
    picture = (xt - (1 - now).sqrt() * error) / now.sqrt()
    return before.sqrt() * picture + (1 - before - sigma2).clamp(min=0).sqrt() * error + sigma2.sqrt() * noise
