# misconception: you estimated the KL from one draw; the closed form has no noise
def kl_standard_normal(m, v):
    z = m + torch.sqrt(v) * torch.randn_like(m)
    return 0.5 * (z**2 - (z - m) ** 2 / v - torch.log(v)).sum(dim=-1)
