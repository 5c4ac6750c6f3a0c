# alternative: the largest loss compared with any time
def forgetting(acc):
    return (acc - acc[-1:]).max(dim=0).values[:-1].mean()
