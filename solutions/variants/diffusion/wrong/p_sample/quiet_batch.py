# misconception: you removed the noise of the whole batch because one image is at t = 1
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + variance.sqrt() * noise * float((t > 1).all())
