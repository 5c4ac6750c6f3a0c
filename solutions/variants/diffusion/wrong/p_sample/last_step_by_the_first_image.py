# misconception: you looked at the step of the first image only; each image has its own
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    if int(t[0]) == 1:
        return mean
    return mean + variance.sqrt() * noise
