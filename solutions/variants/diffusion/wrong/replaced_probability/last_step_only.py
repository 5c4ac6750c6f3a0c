# misconception: you gave the probability of one step, whatever t is
def replaced_probability(t, delta):
    return torch.where(t > 0, 2 * delta, 0.0)
