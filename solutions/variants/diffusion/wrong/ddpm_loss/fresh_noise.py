# misconception: you made xt with noise of your own and compared with the noise that was given
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, torch.randn_like(noise))
    return ((model(xt, t) - noise) ** 2).mean()
