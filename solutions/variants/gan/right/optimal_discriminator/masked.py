# alternative: filled in only where there is something to divide
def optimal_discriminator(p_data, p_model):
    best = torch.full_like(p_data, 0.5)
    some = (p_data > 0) | (p_model > 0)
    best[some] = 1 - p_model[some] / (p_data[some] + p_model[some])
    return best
