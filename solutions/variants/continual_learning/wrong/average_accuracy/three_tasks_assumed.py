# misconception: you divided by three, whatever the number of tasks
def average_accuracy(acc):
    return acc[-1].sum() / 3
