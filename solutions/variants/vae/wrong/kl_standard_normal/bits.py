# misconception: you used the logarithm to base 2; the KL divergence must be in nats
def kl_standard_normal(m, v):
    return 0.5 * (m**2 + v - 1 - torch.log(v)).sum(dim=-1) / math.log(2)
