# misconception: you compared the prediction with xt; the model predicts the noise
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, noise)
    return ((model(xt, t) - xt) ** 2).mean()
