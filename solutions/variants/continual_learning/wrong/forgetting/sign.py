# misconception: you subtracted the best from the end
def forgetting(acc):
    return (acc[-1, :-1] - acc[:, :-1].max(dim=0).values).mean()
