# misconception: you took the last column: the accuracy on the last task only
def average_accuracy(acc):
    return acc[:, -1].mean()
