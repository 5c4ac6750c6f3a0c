# alternative: what an outcome tells about the coin: mutual information, in plain Python
def jensen_shannon(p, q):
    told = 0.0
    for p_i, q_i in zip(p.tolist(), q.tolist(), strict=True):
        for share in (p_i, q_i):
            if share > 0:
                told += 0.5 * share * math.log(2 * share / (p_i + q_i))
    return told
