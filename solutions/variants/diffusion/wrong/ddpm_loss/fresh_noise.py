# misconception: you made xt with your own noise and compared with the given noise
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, torch.randn_like(noise))
    return ((model(xt, t) - noise) ** 2).mean()
