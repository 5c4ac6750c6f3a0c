# misconception: you returned the probability of one step, for every t
def replaced_probability(t, delta):
    return torch.where(t > 0, 2 * delta, 0.0)
