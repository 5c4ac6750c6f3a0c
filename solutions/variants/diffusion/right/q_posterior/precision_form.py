# alternative: adds precisions, as in completing the square
def q_posterior(x0, xt, t, betas):
    table = cumulative_alphas(betas)
    rows, spreads = [], []
    for image, noisy, step in zip(x0, xt, t.tolist()):
        beta = betas[step - 1]
        if step == 1:
            rows.append(image), spreads.append(0 * beta)
            continue
        earlier = table[step - 2]
        precision = (1 - beta) / beta + 1 / (1 - earlier)
        rows.append(((1 - beta).sqrt() / beta * noisy + earlier.sqrt() / (1 - earlier) * image) / precision)
        spreads.append(1 / precision)
    return torch.stack(rows), per_image(torch.stack(spreads), xt)
