# misconception: you forgot to divide by sqrt(alpha_bar_t) when solving for x_0
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = xt - (1 - left).sqrt() * model(xt, t)
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + variance.sqrt() * noise
