# misconception: you returned one half already where one of the densities is 0: there the answer is certain
def optimal_discriminator(p_data, p_model):
    return torch.where((p_data > 0) & (p_model > 0), p_data / (p_data + p_model), 0.5)
