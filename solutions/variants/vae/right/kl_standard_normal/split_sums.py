# alternative: each term summed on its own
def kl_standard_normal(m, v):
    n = m.size(1)
    return 0.5 * (torch.sum(m.pow(2), 1) + torch.sum(v, 1) - n - torch.sum(v.log(), 1))
