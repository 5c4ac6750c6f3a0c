# misconception: you used the step of the first image for all images
def q_sample(x0, t, alphas_bar, noise):
    a = alphas_bar[t[0] - 1]
    return a.sqrt() * x0 + (1 - a).sqrt() * noise
