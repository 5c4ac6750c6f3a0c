# misconception: you gave the model t - 1; it must get t
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, noise)
    return ((model(xt, t - 1) - noise) ** 2).mean()
