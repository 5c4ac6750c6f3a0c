# alternative: NumPy, with ties averaged group by group; gives a NumPy number
def spearman(rewards):
    import numpy as np

    table = rewards.detach().numpy()
    found = []
    for row in table:
        values, where, counts = np.unique(row, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        ranks = ((ends - counts + 1 + ends) / 2)[where]
        if len(values) == 1:
            found.append(0.0)
        else:
            found.append(np.corrcoef(ranks, -np.arange(len(row)))[0, 1])
    return np.mean(found)
