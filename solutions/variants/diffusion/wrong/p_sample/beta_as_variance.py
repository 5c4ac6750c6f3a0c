# misconception: you used beta_t as the variance; use that of section 11
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    beta = per_image(betas[t - 1], xt)
    return mean + torch.where(per_image(t, xt) == 1, torch.zeros_like(beta), beta).sqrt() * noise
