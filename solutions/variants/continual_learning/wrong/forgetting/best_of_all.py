# misconception: you compared each task with the best of all tasks, not with its own best
def forgetting(acc):
    return (acc.tril().max() - acc[-1, :-1]).mean()
