# alternative: squared norms of the errors
def ddpm_loss(model, x0, t, alphas_bar, noise):
    error = (noise - model(q_sample(x0, t, alphas_bar, noise), t)).flatten(1)
    return (torch.linalg.norm(error, dim=1) ** 2).mean() / error.shape[1]
