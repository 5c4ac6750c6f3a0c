# misconception: you returned the model's picture x_0 for every t, not a step back
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    return (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt() + 0 * noise
