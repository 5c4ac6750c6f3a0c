# misconception: you took the task that is forgotten most instead of the mean
def forgetting(acc):
    return (acc[:, :-1].max(dim=0).values - acc[-1, :-1]).max()
