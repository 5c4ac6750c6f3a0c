# misconception: you used the step of the first image for all images
def ddpm_loss(model, x0, t, alphas_bar, noise):
    t = t[:1].expand(len(x0))
    return ((model(q_sample(x0, t, alphas_bar, noise), t) - noise) ** 2).mean()
