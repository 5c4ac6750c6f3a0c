# misconception: you gave the model the clean image instead of xt
def ddpm_loss(model, x0, t, alphas_bar, noise):
    return ((model(x0, t) - noise) ** 2).mean()
