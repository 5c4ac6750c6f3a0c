# alternative: a total in float32, the infinite case first
def kl_divergence(p, q):
    if bool(((p > 0) & (q == 0)).any()):
        return float("inf")
    total = torch.tensor(0.0)
    for p_i, q_i in zip(p, q, strict=True):
        if p_i > 0:
            total += p_i * (p_i / q_i).log()
    return total
