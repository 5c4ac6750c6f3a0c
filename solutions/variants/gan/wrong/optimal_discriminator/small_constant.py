# misconception: you added a small number to the denominator, which matters where both densities are small
def optimal_discriminator(p_data, p_model):
    return p_data / (p_data + p_model + 1e-8)
