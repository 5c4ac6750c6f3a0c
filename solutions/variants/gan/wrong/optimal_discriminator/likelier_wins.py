# misconception: you returned the more likely class instead of giving a probability
def optimal_discriminator(p_data, p_model):
    return torch.where(p_data == p_model, 0.5, (p_data > p_model).to(p_data.dtype))
