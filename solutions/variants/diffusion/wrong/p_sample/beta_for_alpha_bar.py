# misconception: you used beta_t instead of 1 - alpha_bar_t
def p_sample(model, xt, t, betas, noise):
    beta = per_image(betas[t - 1], xt)
    picture = (xt - beta.sqrt() * model(xt, t)) / (1 - beta).sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + variance.sqrt() * noise
