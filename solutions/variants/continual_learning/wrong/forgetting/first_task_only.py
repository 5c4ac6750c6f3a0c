# misconception: you looked at the first task only
def forgetting(acc):
    return acc[:, 0].max() - acc[-1, 0]
