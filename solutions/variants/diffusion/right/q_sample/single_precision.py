# alternative: in single precision, whatever comes in
def q_sample(x0, t, alphas_bar, noise):
    a = per_image(alphas_bar.float()[t - 1], x0)
    return (a.sqrt() * x0.float() + (1 - a).sqrt() * noise.float())
