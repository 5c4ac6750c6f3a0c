# misconception: your xt belongs to step t + 1
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, (t + 1).clamp(max=len(alphas_bar)), alphas_bar, noise)
    return ((model(xt, t) - noise) ** 2).mean() + 1e-3 * (t == len(alphas_bar)).float().mean()
