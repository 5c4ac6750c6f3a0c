# misconception: you used only the first task
def forgetting(acc):
    return acc[:, 0].max() - acc[-1, 0]
