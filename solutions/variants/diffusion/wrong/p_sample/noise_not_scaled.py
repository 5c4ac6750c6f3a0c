# misconception: the predicted noise must be multiplied by sqrt(1 - alpha_bar_t) before it is subtracted
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - model(xt, t)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + variance.sqrt() * noise
