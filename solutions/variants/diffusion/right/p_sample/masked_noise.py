# alternative: noise masked out by hand at the last step
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas).index_select(0, t - 1), xt)
    picture = xt / left.sqrt() - (1 / left - 1).sqrt() * model(xt, t)
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + per_image((t > 1).to(xt.dtype), xt) * variance.sqrt() * noise
