# misconception: you are one step too far: the number of step t has index t - 1
def q_sample(x0, t, alphas_bar, noise):
    a = per_image(alphas_bar[t.clamp(max=len(alphas_bar) - 1)], x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise
