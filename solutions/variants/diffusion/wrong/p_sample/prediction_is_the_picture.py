# misconception: you used the predicted noise as the predicted picture
def p_sample(model, xt, t, betas, noise):
    mean, variance = q_posterior(model(xt, t), xt, t, betas)
    return mean + variance.sqrt() * noise
