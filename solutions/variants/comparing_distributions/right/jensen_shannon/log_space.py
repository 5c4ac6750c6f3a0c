# alternative: the mixture by logaddexp, 0 log 0 by nan_to_num
def jensen_shannon(p, q):
    a, b = p.log(), q.log()
    r = torch.logaddexp(a, b) - math.log(2)
    return (torch.nan_to_num(p * (a - r)).sum() + torch.nan_to_num(q * (b - r)).sum()) / 2
