# misconception: you summed over the pixels; the loss is the mean over images and pixels
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, noise)
    return ((model(xt, t) - noise) ** 2).flatten(1).sum(dim=1).mean()
