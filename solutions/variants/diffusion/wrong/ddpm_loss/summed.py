# misconception: you summed over images and pixels; the loss is their mean
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, noise)
    return ((model(xt, t) - noise) ** 2).sum()
