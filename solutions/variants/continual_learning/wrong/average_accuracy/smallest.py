# misconception: you took the worst task at the end instead of the mean
def average_accuracy(acc):
    return acc[-1].min()
