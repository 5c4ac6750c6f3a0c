# misconception: you looked for the best only from the time on at which a task was learnt
def forgetting(acc):
    best = acc.tril().amax(dim=0)
    return (best - acc[-1])[: len(acc) - 1].mean()
