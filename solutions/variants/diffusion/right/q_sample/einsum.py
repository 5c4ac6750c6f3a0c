# alternative: einsum, without per_image
def q_sample(x0, t, alphas_bar, noise):
    a = alphas_bar[t - 1]
    return torch.einsum("b,b...->b...", a.sqrt(), x0) + torch.einsum("b,b...->b...", (1 - a).sqrt(), noise)
