# misconception: you numbered the different rewards 1, 2, 3, ...; equal rewards share their mean rank
def spearman(rewards):
    K = rewards.shape[1]
    total = 0.0
    for row in rewards.double():
        _, a = row.unique(return_inverse=True)
        a = a.double() - a.double().mean()
        b = torch.arange(K, 0, -1).double() - (K + 1) / 2
        total += float((a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-12))
    return total / len(rewards)
