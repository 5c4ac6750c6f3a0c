# misconception: you are one step short: index t - 2 belongs to step t - 1
def q_sample(x0, t, alphas_bar, noise):
    before = torch.cat([torch.ones_like(alphas_bar[:1]), alphas_bar[:-1]])
    a = per_image(before[t - 1], x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise
