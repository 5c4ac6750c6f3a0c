# alternative: asks the model image by image
def ddpm_loss(model, x0, t, alphas_bar, noise):
    losses = []
    for i in range(len(x0)):
        xt = q_sample(x0[i : i + 1], t[i : i + 1], alphas_bar, noise[i : i + 1])
        losses.append((model(xt, t[i : i + 1]) - noise[i : i + 1]).square().mean())
    return torch.stack(losses).mean()
