# alternative: image by image, with plain numbers
def q_posterior(x0, xt, t, betas):
    means, variances = [], []
    for i, step in enumerate(t.tolist()):
        beta = float(betas[step - 1])
        before = math.prod(1 - b for b in betas[: step - 1].tolist())
        now = before * (1 - beta)
        means.append((math.sqrt(before) * beta * x0[i] + math.sqrt(1 - beta) * (1 - before) * xt[i]) / (1 - now))
        variances.append(beta * (1 - before) / (1 - now))
    return torch.stack(means), torch.tensor(variances).reshape(-1, *[1] * (xt.ndim - 1))
