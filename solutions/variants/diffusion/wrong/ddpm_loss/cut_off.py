# misconception: you clamped xt to [-1, 1]; give it to the model unchanged
def ddpm_loss(model, x0, t, alphas_bar, noise):
    xt = q_sample(x0, t, alphas_bar, noise).clamp(-1, 1)
    return ((model(xt, t) - noise) ** 2).mean()
