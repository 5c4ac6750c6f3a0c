# misconception: you left out the last task
def average_accuracy(acc):
    return acc[-1, :-1].mean() if len(acc) > 1 else acc[-1].mean()
