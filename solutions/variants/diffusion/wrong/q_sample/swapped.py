# misconception: you swapped the factors of picture and noise
def q_sample(x0, t, alphas_bar, noise):
    a = per_image(alphas_bar[t - 1], x0)
    return (1 - a).sqrt() * x0 + a.sqrt() * noise
