# alternative: a tensor also for a number
def tail_variance(k):
    return torch.ldexp(torch.tensor(2.0, dtype=torch.float64), -torch.as_tensor(k))
