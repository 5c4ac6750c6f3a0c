# alternative: F.mse_loss of prediction and noise
def ddpm_loss(model, x0, t, alphas_bar, noise):
    prediction = model(q_sample(x0, t, alphas_bar, noise), t)
    return F.mse_loss(prediction, noise, reduction="mean")
