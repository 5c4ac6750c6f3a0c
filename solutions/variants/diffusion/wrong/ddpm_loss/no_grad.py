# misconception: you called the model under no_grad: nothing can be learnt
def ddpm_loss(model, x0, t, alphas_bar, noise):
    with torch.no_grad():
        prediction = model(q_sample(x0, t, alphas_bar, noise), t)
    return ((prediction - noise) ** 2).mean()
