# misconception: you compared the prediction with x0; the model predicts the noise
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, noise)
    return ((model(xt, t) - x0) ** 2).mean()
