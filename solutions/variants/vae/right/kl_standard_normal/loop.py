# alternative: latent by latent, from the log of the deviation
def kl_standard_normal(m, v):
    total = torch.zeros_like(m[:, 0])
    for k in range(m.shape[1]):
        s = torch.sqrt(v[:, k])
        total = total - torch.log(s) + (s**2 + m[:, k] ** 2) / 2 - 0.5
    return total
