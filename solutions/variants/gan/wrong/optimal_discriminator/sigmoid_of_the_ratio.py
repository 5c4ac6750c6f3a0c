# misconception: you put the ratio of the densities into a sigmoid; it must be its logarithm
def optimal_discriminator(p_data, p_model):
    return torch.where(p_data + p_model > 0, torch.sigmoid(p_data / p_model), 0.5)
