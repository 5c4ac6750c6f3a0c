# misconception: you did not shrink the picture
def q_sample(x0, t, alphas_bar, noise):
    a = per_image(alphas_bar[t - 1], x0)
    return x0 + (1 - a).sqrt() * noise
