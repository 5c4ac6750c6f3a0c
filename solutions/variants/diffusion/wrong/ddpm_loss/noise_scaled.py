# misconception: you compared with the noise times sqrt(1 - alpha_bar_t); the model predicts the noise itself
def ddpm_loss(model, x0, t, alphas_bar, noise):
    wide = per_image(1 - alphas_bar[t - 1], x0).sqrt()
    return ((model(q_sample(x0, t, alphas_bar, noise), t) - wide * noise) ** 2).mean()
