# misconception: this is the step of DDIM without noise; the mean of section 11 is different
def p_sample(model, xt, t, betas, noise):
    table = torch.cat([torch.ones_like(betas[:1]), cumulative_alphas(betas)])
    left, before = per_image(table[t], xt), per_image(table[t - 1], xt)
    error = model(xt, t)
    picture = (xt - (1 - left).sqrt() * error) / left.sqrt()
    return before.sqrt() * picture + (1 - before).sqrt() * error
