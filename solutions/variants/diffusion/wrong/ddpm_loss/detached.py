# misconception: you detached the loss: no gradient reaches the network
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, noise)
    return ((model(xt, t) - noise) ** 2).mean().detach()
