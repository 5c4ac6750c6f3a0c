# misconception: you drew your own noise instead of using the given noise
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    return mean + variance.sqrt() * torch.randn_like(xt)
