# misconception: in the printed form it is beta / sqrt(1 - alpha_bar_t); your root is missing
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    beta = per_image(betas[t - 1], xt)
    _, variance = q_posterior(xt, xt, t, betas)
    mean = (xt - beta / (1 - left) * model(xt, t)) / (1 - beta).sqrt()
    return mean + variance.sqrt() * noise
