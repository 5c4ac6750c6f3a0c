# misconception: you used the exponential function, which is only the limit for tiny delta
def replaced_probability(t, delta):
    return 1 - torch.exp(-2.0 * delta * t)
