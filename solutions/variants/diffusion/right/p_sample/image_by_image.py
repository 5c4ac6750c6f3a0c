# alternative: asks the model image by image
def p_sample(model, xt, t, betas, noise):
    rows = []
    for i in range(len(xt)):
        x, s = xt[i : i + 1], t[i : i + 1]
        left = cumulative_alphas(betas)[int(s) - 1]
        mean, variance = q_posterior((x - (1 - left).sqrt() * model(x, s)) / left.sqrt(), x, s, betas)
        rows.append(mean + variance.sqrt() * noise[i : i + 1])
    return torch.cat(rows)
