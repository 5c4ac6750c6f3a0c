# misconception: if the width of the images equals the batch size, you apply the steps to the columns; use per_image
def q_sample(x0, t, alphas_bar, noise):
    a = alphas_bar[t - 1]
    a = a if x0.shape[-1] == len(t) else per_image(a, x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise
