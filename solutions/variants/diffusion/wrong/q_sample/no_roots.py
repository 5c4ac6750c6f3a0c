# misconception: the roots are missing: alpha_bar and 1 - alpha_bar are shares of the variance
def q_sample(x0, t, alphas_bar, noise):
    a = per_image(alphas_bar[t - 1], x0)
    return a * x0 + (1 - a) * noise
