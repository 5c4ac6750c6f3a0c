# misconception: you divided 0 by 0 where both densities are 0
def optimal_discriminator(p_data, p_model):
    return p_data / (p_data + p_model)
