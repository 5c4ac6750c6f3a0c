# alternative: computed in float64, nan of 0 log 0 turned into 0
def kl_divergence(p, q):
    terms = p.double() * (p.double().log() - q.double().log())
    return torch.nan_to_num(terms, nan=0.0, posinf=math.inf).sum()
