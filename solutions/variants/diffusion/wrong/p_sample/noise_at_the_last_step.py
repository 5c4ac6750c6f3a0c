# misconception: you added noise at the last step, t = 1; there is none
def p_sample(model, xt, t, betas, noise):
    left = per_image(cumulative_alphas(betas)[t - 1], xt)
    picture = (xt - (1 - left).sqrt() * model(xt, t)) / left.sqrt()
    mean, variance = q_posterior(picture, xt, t, betas)
    beta = per_image(betas[t - 1], xt)
    return mean + torch.where(per_image(t, xt) == 1, beta, variance).sqrt() * noise
