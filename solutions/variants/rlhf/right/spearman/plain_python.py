# alternative: plain Python, row by row
def spearman(rewards):
    total = 0.0
    for row in rewards.tolist():
        K = len(row)
        ranks = [sum(q < p for q in row) + (sum(q == p for q in row) + 1) / 2 for p in row]
        mean = (K + 1) / 2
        top = sum((a - mean) * (K - k - mean) for k, a in enumerate(ranks))
        left, right = sum((a - mean) ** 2 for a in ranks), sum((K - k - mean) ** 2 for k in range(K))
        total += top / math.sqrt(left * right) if left else 0.0
    return total / len(rewards)
