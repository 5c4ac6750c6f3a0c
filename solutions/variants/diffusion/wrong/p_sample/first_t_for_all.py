# misconception: you used the step of the first image for all images
def p_sample(model, xt, t, betas, noise):
    t = t[:1].expand(len(xt))
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + variance.sqrt() * noise
