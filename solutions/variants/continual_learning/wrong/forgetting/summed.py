# misconception: you added the losses up and did not average
def forgetting(acc):
    return (acc[:, :-1].max(dim=0).values - acc[-1, :-1]).sum()
