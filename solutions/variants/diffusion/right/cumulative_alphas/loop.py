# alternative: multiplies in a loop
def cumulative_alphas(betas):
    left, table = 1.0, []
    for beta in betas:
        left = left * (1 - beta)
        table.append(left)
    return torch.stack(table)
