# alternative: plain numbers, single precision in the end
def cumulative_alphas(betas):
    import itertools
    import operator
    return torch.tensor(list(itertools.accumulate((1 - betas).tolist(), operator.mul)))
