# alternative: point by point, in plain numbers
def optimal_discriminator(p_data, p_model):
    pairs = zip(p_data.flatten().tolist(), p_model.flatten().tolist(), strict=True)
    shares = [real / (real + fake) if real + fake > 0 else 0.5 for real, fake in pairs]
    return torch.tensor(shares, dtype=p_data.dtype).reshape(p_data.shape)
