# misconception: you left the end out of the times at which a task may be at its best, so forgetting can become negative
def forgetting(acc):
    return (acc[:-1, :-1].max(dim=0).values - acc[-1, :-1]).mean()
