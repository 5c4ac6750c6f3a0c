# misconception: you gave the model t - 1; it must get t
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t - 1)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + variance.sqrt() * noise
