# alternative: outcome by outcome, in plain Python
def kl_divergence(p, q):
    total = 0.0
    for p_i, q_i in zip(p.tolist(), q.tolist(), strict=True):
        if p_i > 0:
            if q_i == 0:
                return math.inf
            total += p_i * math.log(p_i / q_i)
    return total
