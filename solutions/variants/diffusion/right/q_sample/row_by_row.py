# alternative: goes through the batch image by image
def q_sample(x0, t, alphas_bar, noise):
    rows = []
    for image, step, e in zip(x0, t.tolist(), noise):
        left = float(alphas_bar[step - 1])
        rows.append(math.sqrt(left) * image + math.sqrt(1 - left) * e)
    return torch.stack(rows)
