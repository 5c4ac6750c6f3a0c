# misconception: you added no noise at all
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + 0 * noise
