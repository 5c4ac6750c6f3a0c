# misconception: you took the running product of the table again; alphas_bar is the running product already
def q_sample(x0, t, alphas_bar, noise):
    a = per_image(torch.cumprod(alphas_bar, 0)[t - 1], x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise
