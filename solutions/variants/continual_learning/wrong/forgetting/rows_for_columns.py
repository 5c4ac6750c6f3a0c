# misconception: you took the best of each row: rows are times, columns are tasks
def forgetting(acc):
    return (acc.max(dim=1).values[:-1] - acc[-1, :-1]).mean()
