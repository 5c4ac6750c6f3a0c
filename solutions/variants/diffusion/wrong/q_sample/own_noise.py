# misconception: you drew your own noise instead of using the given noise
def q_sample(x0, t, alphas_bar, noise):
    a = per_image(alphas_bar[t - 1], x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * torch.randn_like(x0)
