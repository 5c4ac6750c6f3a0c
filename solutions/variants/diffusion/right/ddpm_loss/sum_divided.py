# alternative: the sum divided by the number of entries, with x_t written out
def ddpm_loss(model, x0, t, alphas_bar, noise):
    left = per_image(alphas_bar[t - 1], x0)
    xt = left.sqrt() * x0 + (1 - left).sqrt() * noise
    return (noise - model(xt, t)).pow(2).sum() / noise.numel()
