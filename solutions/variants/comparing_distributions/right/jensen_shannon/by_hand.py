# alternative: both divergences written out in float64, the zeros left out
def jensen_shannon(p, q):
    p, q = p.double(), q.double()
    r = (p + q) / 2
    total = 0.0
    for part in (p, q):
        shown = part > 0
        total = total + 0.5 * (part[shown] * torch.log(part[shown] / r[shown])).sum()
    return total
