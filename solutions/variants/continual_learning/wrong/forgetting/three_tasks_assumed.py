# misconception: you divided by two, whatever the number of tasks
def forgetting(acc):
    return (acc[:, :-1].max(dim=0).values - acc[-1, :-1]).sum() / 2
