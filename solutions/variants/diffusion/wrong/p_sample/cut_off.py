# misconception: you clamped x_0 to [-1, 1]; do not clamp it
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = ((xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()).clamp(-1, 1)
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + variance.sqrt() * noise
