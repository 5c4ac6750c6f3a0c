# misconception: you returned one half everywhere, the value at the end of training
def optimal_discriminator(p_data, p_model):
    return torch.full_like(p_data, 0.5)
