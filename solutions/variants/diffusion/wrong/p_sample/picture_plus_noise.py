# misconception: you jumped from the picture to t - 1 with new noise; the mean of section 11 also contains xt
def p_sample(model, xt, t, betas, noise):
    table = torch.cat([torch.ones_like(betas[:1]), cumulative_alphas(betas)])
    left, before = per_image(table[t], xt), per_image(table[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()
    return before.sqrt() * picture + (1 - before).sqrt() * noise
