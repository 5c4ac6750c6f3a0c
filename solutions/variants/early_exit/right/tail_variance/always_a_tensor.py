# alternative: a tensor also for a number
def tail_variance(k):
    return 2 * torch.exp2(-torch.as_tensor(k, dtype=torch.float64))
