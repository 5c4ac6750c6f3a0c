# misconception: at t = 0 and delta = 1/2 your logarithm gives NaN; with t = 0 nothing is replaced
def replaced_probability(t, delta):
    return 1 - torch.exp(t * torch.log(torch.tensor(1 - 2 * delta)))
