# misconception: you used 1 - sqrt(alpha_bar) instead of sqrt(1 - alpha_bar)
def q_sample(x0, t, alphas_bar, noise):
    a = per_image(alphas_bar[t - 1], x0)
    return a.sqrt() * x0 + (1 - a.sqrt()) * noise
